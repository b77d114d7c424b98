"""Fernet keys, and values that are encrypted with one of two while the key is rotated."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
"""What an operator types for a new one."""


def problem(key: str) -> str:
    """Why this is not exactly one Fernet key, or nothing.

    Python's base64 decoder drops what it does not know, so that two keys with a comma between them silently mean the
    first: the length and the alphabet are looked at first.
    """
    if len(key) != 44:
        return f"has {len(key)} characters instead of 44"
    try:
        raw = base64.b64decode(key.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return "is not URL-safe base64"
    return "" if len(raw) == 32 else f"decodes to {len(raw)} bytes instead of 32"


def opens(key: Secret, token: str) -> bool:
    """Whether the key opens what was encrypted; one that is no key opens nothing."""
    from cryptography.fernet import Fernet, InvalidToken  # 50 ms that other runs need not pay

    try:
        Fernet(key.reveal()).decrypt(token.encode())
    except (InvalidToken, ValueError):
        return False
    return True


def same(one: Secret, other: Secret) -> bool:
    """Whether two valid keys are one: the last character has bits that mean nothing."""
    return base64.urlsafe_b64decode(one.reveal()) == base64.urlsafe_b64decode(other.reveal())


@dataclass(frozen=True)
class Keys:
    """The key before a rotation and the one after it.

    Attributes:
        older: More keys that a value may be under still. One that is under none of them goes back under ``old``.
    """

    old: Secret
    new: Secret
    older: tuple[Secret, ...] = ()

    @classmethod
    def checked(cls, old: Secret, new: Secret, *older: Secret) -> Keys:
        """All of them, if each is exactly one valid key and none is the new one. Raises InputError otherwise."""
        for key in (old, new, *older):
            if found := problem(key.reveal()):
                raise InputError(f"{key.name} is not exactly one Fernet key", found=found, mend=NEW_KEY)
        if any(same(each, new) for each in (old, *older)):
            raise InputError("the new key is the old one", where=new.name, mend=NEW_KEY)
        return cls(old, new, older)

    @classmethod
    def only(cls, key: Secret) -> Keys:
        """To see which rows one key opens."""
        return cls(key, key)

    def paired(self, rows: Iterable[tuple[int, str]]) -> tuple[list[tuple[int, str, str]], list[int]]:
        """The value of each token under both keys; the token itself is one of the two.

        A token that is made here is proven to bear the signature of its key, which covers every byte of it: the same
        two steps as opening it, without the one that could no longer fail.

        Args:
            rows: Ids with tokens.

        Returns:
            Ids with the tokens under the old and the new key, and the ids of those that neither key opens.
        """
        from cryptography.fernet import InvalidToken

        opened, encrypted, signed = self._old.decrypt, self._new.encrypt, self._new.extract_timestamp
        pairs: list[tuple[int, str, str]] = []
        strange: list[int] = []
        for id, token in rows:  # a million times: nothing is called here that could be called outside
            try:
                made = encrypted(opened(token))
                signed(made)
                pairs.append((id, token, made.decode()))
            except (InvalidToken, ValueError):
                if back := self._under_old(token):
                    pairs.append((id, back, token))
                else:
                    strange.append(id)
        return pairs, strange

    def _under_old(self, token: str) -> str | None:
        """The value of a token of the new key under the old one."""
        value = _opened(self._new, token)
        if value is None:
            return None
        made = self._old.encrypt(value)
        self._old.extract_timestamp(made)
        return made.decode()

    def opened_by(self, token: str) -> str:
        """Which key opens it: ``old``, ``new`` or ``neither``."""
        if _opened(self._old, token) is not None:
            return "old"
        return "neither" if _opened(self._new, token) is None else "new"

    @cached_property
    def _old(self) -> Fernet | MultiFernet:
        if not self.older:
            return _fernet(self.old)
        from cryptography.fernet import MultiFernet

        return MultiFernet([_fernet(each) for each in (self.old, *self.older)])

    @cached_property
    def _new(self) -> Fernet:
        return _fernet(self.new)


def _fernet(key: Secret) -> Fernet:
    from cryptography.fernet import Fernet  # 50 ms that other commands need not pay

    return Fernet(key.reveal())


def _opened(key: Fernet | MultiFernet, token: str) -> bytes | None:
    from cryptography.fernet import InvalidToken

    try:
        return key.decrypt(token)
    except (InvalidToken, ValueError):
        return None
