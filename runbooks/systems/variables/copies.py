"""The copies of one environment's variables: found, read and written in its store.

A copy is two objects: the variables, encrypted to the environment's age recipients, and then a manifest that anybody
may read, which makes it exist. The manifest names the variables and holds a keyed fingerprint of each value: it tells
which have changed without telling any.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.store import Store
from runbooks.systems.snapshots import sealed
from runbooks.systems.store.objects import Objects

ROOT = "variables/"
MANIFEST, SEALED = "manifest.json", "variables.json.age"
NEWEST = "newest"
SCHEMA = 1
PROBE = "which key is this?"
"""Its fingerprint tells whether two copies were fingerprinted with the same key."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What a manifest says.

    Attributes:
        id: The copy's name in the store.
        run: The run that made it.
        environment: The environment's name in the inventory.
        taken: When it was made.
        release: The git commit that the variables belong to; None: it was not known.
        encrypted: The public keys that it is encrypted to.
        key: The fingerprint of `PROBE`.
        fingerprints: Of each value, by the variable's name.
        size: The encrypted object's, in bytes.
        sha256: The encrypted object's.
    """

    schema: int = SCHEMA
    id: str
    run: str
    environment: str
    taken: datetime
    release: str | None
    encrypted: tuple[str, ...]
    key: str
    fingerprints: dict[str, str]
    size: int
    sha256: str


@dataclass(frozen=True)
class Copies:
    """All of them in one store."""

    store: Store

    def __str__(self) -> str:
        return str(self.store)

    def ids(self) -> list[str]:
        """Those that are whole, oldest first."""
        names = self.store.names(ROOT)
        return sorted(name.split("/")[1] for name in names if name.count("/") == 2 and name.endswith(f"/{MANIFEST}"))

    def unfinished(self) -> list[str]:
        """Those that have no manifest: they are being made, or whoever made them was killed."""
        names = self.store.names(ROOT)
        begun = {name.split("/")[1] for name in names if name.count("/") == 2}
        return sorted(begun - set(self.ids()))

    def remove(self, id: str, objects: Objects) -> None:
        """Remove one: its manifest first, so that a half of it is never taken for whole.

        Args:
            objects: The same store's.
        """
        objects.remove(_place(id, MANIFEST))
        objects.remove(_place(id, ""))

    def copy(self, id: str) -> Copy | None:
        """A copy's manifest; None if there is none. Raises InputError if it is damaged, or another one's."""
        stored = self.store.get(_place(id, MANIFEST))
        if stored is None:
            return None
        found = _decoded(stored.body, f"{_place(id, MANIFEST)} in {self}")
        if found.id != id:
            where = f"{_place(id, MANIFEST)} in {self}"
            raise InputError("a manifest lies in another copy's place", where=where, found=f"that of {found.id}")
        return found

    def newest(self) -> Copy | None:
        """The newest, or None if there are none. Raises as `copy`."""
        known = self.ids()
        return self.copy(known[-1]) if known else None

    def of_release(self, release: str) -> Copy | None:
        """The newest one that belongs to this commit, or None. Raises as `copy`."""
        for id in reversed(self.ids()):
            found = self.copy(id)
            if found and found.release == release:
                return found
        return None

    def find(self, wanted: str) -> Copy:
        """The copy with this id, or one that only one id begins or ends with; or the newest.

        Raises:
            InputError: none, or several, answer to it; or its manifest is damaged.
        """
        known = self.ids()
        matches = known[-1:] if wanted == NEWEST else [id for id in known if id == wanted]
        matches = matches or [id for id in known if id.startswith(wanted) or id.endswith(wanted)]
        found = self.copy(matches[0]) if len(matches) == 1 else None
        if found is None:
            raise InputError(
                f"{'several copies' if matches else 'no copy'} of variables answer to {wanted}",
                where=str(self),
                found=", ".join((matches or known)[-5:]) or "no copies yet",
                mend="name one of them" if known else "invoke variables.backup",
            )
        return found

    def put(
        self,
        variables: Mapping[str, Secret],
        *,
        id: str,
        run: str,
        environment: str,
        release: str | None,
        keys: tuple[str, ...],
        fingerprint: Callable[[str], str],
        now: datetime | None = None,
    ) -> Copy:
        """Keep a copy. Killed anywhere and called again, it is made once; the manifest is written last.

        Args:
            keys: Public keys; whoever holds one's private key can read it.
            fingerprint: A keyed hash.

        Raises:
            InputError: there is no key to encrypt to, or one is none.
            SystemFault: the store can't be asked; or another copy has this id.
        """
        refuse_without(keys)
        body = _encrypted(variables, sealed.recipients(keys))
        made = Copy(
            id=id,
            run=run,
            environment=environment,
            taken=now or datetime.now(UTC),
            release=release,
            encrypted=keys,
            key=fingerprint(PROBE),
            fingerprints=fingerprints(variables, fingerprint),
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
        )
        if there := self.copy(id):
            return _same(there, made)
        self._overwrite(_place(id, SEALED), body)
        if self.store.put(_place(id, MANIFEST), _encoded(made), replaces=None) is None:
            there = self.copy(id)
            if there is None:
                raise SystemFault("this copy was removed while it was made", reason=Reason.FAILED, where=id)
            return _same(there, made)
        return made

    def read(self, copy: Copy, identity: Any) -> dict[str, Secret]:
        """The variables by name.

        Args:
            identity: As `sealed.identity` gives it.

        Raises:
            SystemFault: the object is missing or damaged, or was not encrypted to this identity.
        """
        where = f"{_place(copy.id, SEALED)} in {self}"
        stored = self.store.get(_place(copy.id, SEALED))
        if stored is None:
            raise SystemFault("a copy of variables is missing", reason=Reason.BAD_ANSWER, where=where)
        if hashlib.sha256(stored.body).hexdigest() != copy.sha256:
            found = f"{len(stored.body)} bytes, other ones than were written"
            raise SystemFault("a copy of variables is damaged", reason=Reason.BAD_ANSWER, where=where, found=found)
        return _decrypted(stored.body, identity, where)

    def _overwrite(self, name: str, body: bytes) -> None:
        """An object without its manifest is what a killed process left."""
        there = self.store.get(name)
        if self.store.put(name, body, replaces=there.version if there else None) is None:
            raise SystemFault("somebody else is writing this copy", reason=Reason.FAILED, where=f"{name} in {self}")


def refuse_without(keys: Sequence[str]) -> None:
    """Raises InputError if there is no key to encrypt to."""
    if not keys:
        raise InputError(
            "there is nobody to encrypt the variables to, so they are not copied",
            where="backup.recipients",
            mend='make a key pair with age-keygen, and write its public key: [backup] recipients = ["age1…"];'
            " keep the private key where the store is not",
        )


def new_id(run: str) -> str:
    """The name of the copy that a run makes: when it began, to the millisecond, and the end of its id."""
    return f"{run.partition('Z')[0]}Z-{run.rpartition('-')[2]}"


def fingerprints(variables: Mapping[str, Secret], fingerprint: Callable[[str], str]) -> dict[str, str]:
    """A keyed hash for each; with the name in it, so that equal values of two variables do not show as equal."""
    return {name: fingerprint(f"{name}={secret.reveal()}") for name, secret in sorted(variables.items())}


def _encrypted(variables: Mapping[str, Secret], recipients: Sequence[Any]) -> bytes:
    import pyrage

    plain = json.dumps({name: secret.reveal() for name, secret in sorted(variables.items())}).encode()
    return bytes(pyrage.encrypt(plain, list(recipients)))


def _decrypted(body: bytes, identity: Any, where: str) -> dict[str, Secret]:
    import pyrage

    try:
        values = json.loads(pyrage.decrypt(body, [identity]))
        return {name: Secret(name, value) for name, value in values.items()}
    except (pyrage.DecryptError, ValueError, AttributeError) as error:
        raise SystemFault(
            "a copy of variables can't be decrypted",
            reason=Reason.BAD_ANSWER,
            where=where,
            found=type(error).__name__,
            mend="see whether backup.identity belongs to one of backup.recipients",
        ) from None


def _same(there: Copy, made: Copy) -> Copy:
    if (there.key, there.fingerprints, there.release) != (made.key, made.fingerprints, made.release):
        raise SystemFault("another copy of variables has this id", reason=Reason.FAILED, where=there.id)
    return there


def _encoded(copy: Copy) -> bytes:
    from pydantic import TypeAdapter

    return TypeAdapter(Copy).dump_json(copy, indent=1) + b"\n"


def _decoded(body: bytes, where: str) -> Copy:
    from pydantic import TypeAdapter, ValidationError

    try:
        found = TypeAdapter(Copy).validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(
            "this is no manifest of a copy of variables",
            where=where,
            found=f"{'.'.join(map(str, first['loc'])) or 'the text'}: {first['msg']}",
            mend="it was damaged, or written by another version of this tool",
        ) from error
    if found.schema != SCHEMA:
        mend = "use the version of this tool that wrote it"
        raise InputError("a copy of another format", where=where, found=f"schema {found.schema}", mend=mend)
    return found


def _place(id: str, name: str) -> str:
    return f"{ROOT}{id}/{name}"
