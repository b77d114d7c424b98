from __future__ import annotations

import io
from collections.abc import Iterator

import pyrage
import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.snapshots import sealed

BODY = b"rows and rows\n" * 50_000


@pytest.fixture(scope="module")
def key() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def encrypted(key: pyrage.x25519.Identity) -> bytes:
    with sealed.sealed(io.BytesIO(BODY), sealed.recipients([str(key.to_public())])) as stream:
        return b"".join(iter(lambda: stream.read(1000), b""))


def pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[at : at + 777] for at in range(0, len(body), 777))


def test_only_the_identity_reads_what_was_encrypted_to_its_recipient(key: pyrage.x25519.Identity) -> None:
    body = encrypted(key)

    assert b"rows" not in body
    with sealed.opened(pieces(body), sealed.identity(Secret("AGE", f"{key}\n"))) as stream:
        assert stream.read() == BODY
    with (
        sealed.opened(pieces(body), pyrage.x25519.Identity.generate()) as stream,
        pytest.raises(SystemFault, match="decrypting") as caught,
    ):
        stream.read()
    assert "backup.identity" in caught.value.mend


def test_without_recipients_it_stays_as_it_is() -> None:
    with sealed.sealed(io.BytesIO(BODY), []) as stream:
        assert stream.read() == BODY
    with sealed.opened(pieces(BODY), None) as stream:
        assert stream.read() == BODY


@pytest.mark.parametrize("change", [lambda body: body[:-100], lambda body: body[:-50] + b"\0" + body[-49:]])
def test_what_was_cut_or_changed_does_not_decrypt(key: pyrage.x25519.Identity, change: object) -> None:
    body = change(encrypted(key))  # type: ignore[operator]

    with sealed.opened(pieces(body), key) as stream, pytest.raises(SystemFault):
        while stream.read(1 << 16):
            pass


def test_what_ails_the_source_is_told_and_not_how_it_was_decrypted(key: pyrage.x25519.Identity) -> None:
    def broken() -> Iterator[bytes]:
        yield encrypted(key)[:1000]
        raise SystemFault("a snapshot is damaged", reason=Reason.BAD_ANSWER)

    with sealed.opened(broken(), key) as stream, pytest.raises(SystemFault, match="damaged"):
        stream.read()


def test_a_wrong_key_is_refused_and_a_private_one_not_shown() -> None:
    with pytest.raises(InputError, match="recipient"):
        sealed.recipients(["age1nonsense"])
    with pytest.raises(InputError) as caught:
        sealed.identity(Secret("AGE_IDENTITY", "AGE-SECRET-KEY-NONSENSE"))
    assert "NONSENSE" not in str(caught.value)
    assert caught.value.where == "AGE_IDENTITY"
