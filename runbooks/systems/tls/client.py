"""Shakes hands with one server and says what came of it."""

from __future__ import annotations

import socket
import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbooks.engine.errors import InputError, Reason, SystemFault


@dataclass(frozen=True)
class Handshake:
    """A handshake that both sides agreed to.

    Attributes:
        version: The protocol, such as ``TLSv1.3``.
        ends: When the certificate expires.
        issuer: Who signed it, by its common name or organisation.
    """

    version: str
    ends: datetime
    issuer: str


@dataclass(frozen=True)
class Distrust:
    """The server's certificate is not good for its name; why, as OpenSSL says it."""

    why: str


@dataclass(frozen=True)
class TlsServer:
    """A server and where it is found.

    Attributes:
        name: The name that the certificate must be for.
        port: Its port.
        address: Where to connect to; the name itself where this machine resolves it.
        ca_file: A PEM file with the authority to trust instead of the usual ones.
        seconds: Time limit of connecting and of the handshake, each.
    """

    name: str
    port: int
    address: str
    ca_file: Path | None = None
    seconds: float = 5.0

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"

    def shake_hands(self) -> Handshake | Distrust:
        """Agree on TLS as any client would.

        Raises:
            SystemFault: it can't be reached, or speaks no TLS.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            what = "the authority's certificate can't be read"
            raise InputError(what, where=str(self.ca_file), found=str(error)) from error
        try:
            with self._connected() as raw, context.wrap_socket(raw, server_hostname=self.name) as secured:
                return _agreed(secured)
        except ssl.SSLCertVerificationError as error:
            return Distrust(error.verify_message)
        except ssl.SSLError as error:
            raise self._fault("no TLS can be agreed on", Reason.BAD_ANSWER, error) from error
        except OSError as error:
            raise self._fault("the handshake did not end", Reason.UNREACHABLE, error) from error

    def accepts_old_versions(self) -> bool | None:
        """Whether it agrees to TLS 1.0 or 1.1; None: this machine's OpenSSL can't offer them.

        Raises:
            SystemFault: it can't be reached.
        """
        context = _outdated_context()
        if context is None:
            return None
        try:
            with self._connected() as raw, context.wrap_socket(raw, server_hostname=self.name):
                return True
        except ssl.SSLError as error:
            return None if error.reason == "NO_PROTOCOLS_AVAILABLE" else False
        except OSError:  # some servers hang up instead of refusing
            return False

    def _connected(self) -> socket.socket:
        try:
            return socket.create_connection((self.address, self.port), timeout=self.seconds)
        except TimeoutError as error:
            raise self._fault("the server did not answer in time", Reason.TIMED_OUT, error) from error
        except OSError as error:
            raise self._fault("the server can't be reached", Reason.UNREACHABLE, error) from error

    def _fault(self, what: str, reason: Reason, error: Exception) -> SystemFault:
        mend = "see whether it runs, and whether this machine may reach it"
        return SystemFault(what, reason=reason, where=f"{self} at {self.address}", found=str(error), mend=mend)


def _agreed(secured: ssl.SSLSocket) -> Handshake:
    certificate = secured.getpeercert()
    version = secured.version()
    assert certificate is not None, "it was verified"
    assert version is not None, "the handshake has ended"
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    return Handshake(version, ends, _issuer(certificate.get("issuer", ())))


def _issuer(parts: object) -> str:
    """The issuer's common name or organisation, out of ``getpeercert``'s nested pairs."""
    assert isinstance(parts, tuple), "as the library says"
    named = {key: value for part in parts for key, value in part}
    return str(named.get("organizationName") or named.get("commonName") or "somebody without a name")


def _outdated_context() -> ssl.SSLContext | None:
    """A client that speaks nothing newer than TLS 1.1 and asks for no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 offers them at no other level
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    except (ssl.SSLError, ValueError):
        return None
    return context
