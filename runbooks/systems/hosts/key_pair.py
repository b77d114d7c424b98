"""Key pairs that people and programs log in to hosts with."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret

if TYPE_CHECKING:
    from paramiko import PKey


def make(name: str) -> Secret:
    """A new private key: Ed25519, in OpenSSH's form, without a passphrase."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return Secret(name, text.decode())


def public(private: Secret, comment: str = "") -> str:
    """The public key, as a ``.pub`` file has it.

    Raises:
        InputError: it is no private key, or one with a passphrase.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_ssh_private_key(private.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        found = "it has a passphrase" if isinstance(error, TypeError) else "not a private key in OpenSSH's form"
        raise InputError(
            "this private key can't be used here",
            where=private.name,
            found=found,
            mend="rotate it by hand; or convert it: ssh-keygen -p -N '' -f FILE",
        ) from None
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{line.decode()} {comment}".strip()


def opened(private: Secret) -> PKey:
    """The key as Paramiko wants it.

    Raises:
        SystemFault: it is none, or one with a passphrase.
    """
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException):
            key: PKey = kind.from_private_key(io.StringIO(private.reveal()))
            return key
    mend = "see what its file holds; a passphrase can't be asked for"
    raise SystemFault("this is no private key that can be used", reason=Reason.FAILED, where=private.name, mend=mend)
