"""Objects encrypted to age recipients on their way into the store, and decrypted on their way out."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, BinaryIO, cast

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret


def recipients(keys: Sequence[str]) -> list[Any]:
    """Public keys, age's own or SSH's.

    Raises:
        InputError: one is none.
    """
    import pyrage

    found = []
    for key in keys:
        try:
            found.append(
                pyrage.ssh.Recipient.from_str(key) if key.startswith("ssh-") else pyrage.x25519.Recipient.from_str(key)
            )
        except pyrage.RecipientError as error:
            mend = "write a public key: age1… (age-keygen -y) or ssh-ed25519 …"
            raise InputError(
                "this is no age recipient", where="backup.recipients", found=key[:60], mend=mend
            ) from error
    return found


def identity(key: Secret) -> Any:
    """The private key that reads what was encrypted to its public one.

    Raises:
        InputError: it is none.
    """
    import pyrage

    text = key.reveal().strip()
    try:
        if text.startswith("AGE-SECRET-KEY-"):
            return pyrage.x25519.Identity.from_str(text)
        return pyrage.ssh.Identity.from_buffer(text.encode())
    except pyrage.IdentityError as error:
        mend = "it begins with AGE-SECRET-KEY-, or is an SSH private key without a passphrase"
        raise InputError("this is no age identity", where=key.name, mend=mend) from error


def sealed(source: BinaryIO, to: Sequence[Any]) -> contextlib.AbstractContextManager[BinaryIO]:
    """The source encrypted, to be read as it is made. Without recipients it is passed on as it is."""
    import pyrage

    if not to:
        return contextlib.nullcontext(source)
    return _piped(lambda sink: pyrage.encrypt_io(source, sink, list(to)), "encrypting")


@contextlib.contextmanager
def opened(pieces: Iterator[bytes], by: Any) -> Iterator[BinaryIO]:
    """An encrypted object in pieces, decrypted, to be read as it comes. ``by`` None: it is not encrypted.

    Raises:
        SystemFault: it was not encrypted to this identity, or was changed since.
    """
    import pyrage

    source = io.BufferedReader(cast("Any", _Pieces(pieces)), 1 << 16)
    if by is None:
        yield cast("BinaryIO", source)
        return
    with _piped(lambda sink: pyrage.decrypt_io(source, sink, [by]), "decrypting") as stream:
        yield stream


class _Pieces(io.RawIOBase):
    """An iterator of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


@contextlib.contextmanager
def _piped(work: Callable[[IO[bytes]], object], what: str) -> Iterator[BinaryIO]:
    """What the work writes, to be read in this thread; its error is raised once all was read."""
    read, write = os.pipe()
    errors: list[BaseException] = []

    def run() -> None:
        with os.fdopen(write, "wb") as sink:
            try:
                work(sink)
            except BaseException as error:
                errors.append(error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    try:
        with os.fdopen(read, "rb") as stream:
            yield _Checked(stream, thread, errors, what)  # type: ignore[misc]
    finally:
        thread.join(10)


class _Checked:
    """A stream whose end is believed only if whoever wrote it came to its end, too."""

    def __init__(self, stream: BinaryIO, thread: threading.Thread, errors: list[BaseException], what: str) -> None:
        self._stream, self._thread, self._errors, self._what = stream, thread, errors, what

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        if not piece:
            self._thread.join()
            if self._errors:
                error = self._errors[0]
                if isinstance(error, SystemFault):
                    raise error
                raise SystemFault(
                    f"{self._what} an object failed",
                    reason=Reason.FAILED,
                    found=f"{type(error).__name__}: {error}",
                    mend="see whether backup.identity belongs to one of backup.recipients"
                    if self._what == "decrypting"
                    else "",
                ) from error
        return piece
