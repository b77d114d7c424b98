"""The sandbox's own certificate authority, and certificates of its names; some with a flaw, to see it found.

A certificate and its key share one owner-only file: a kill between two files would leave a pair that does not match.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.atomic import write_atomically
from runbooks.sandbox.files import private_folder, write_private
from runbooks.sandbox.layout import Layout

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_LIFE, LEAF_LIFE = timedelta(days=3650), timedelta(days=90)
AUTHORITY_RENEWAL, LEAF_RENEWAL = timedelta(days=180), timedelta(days=30)
"""How long before its end each is made anew."""

WRONG_NAME = "www.example.org"


class Flaw(enum.StrEnum):
    """What can be wrong with a certificate."""

    EXPIRED = "expired"
    EXPIRING = "expiring"
    WRONG_NAME = "wrong-name"
    SELF_SIGNED = "self-signed"


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    def ends_within(self, time: timedelta) -> bool:
        return self.certificate.not_valid_after_utc - datetime.now(UTC) < time


def authority(layout: Layout) -> Pair:
    """The sandbox's authority: made on first use, and anew before it ends. Its public half is written beside it."""
    private_folder(layout.authority)
    file = layout.authority / "authority.pem"
    pair = _read(file) if file.exists() else None
    if pair is None or pair.ends_within(AUTHORITY_RENEWAL):
        pair = _issue("praviel-runbooks sandbox", None, AUTHORITY_LIFE, is_authority=True)
        write_private(file, _pem(pair))
    public = _certificate_pem(pair.certificate)
    if not layout.authority_certificate.exists() or layout.authority_certificate.read_bytes() != public:
        write_atomically(layout.authority_certificate, public, 0o644)
    return pair


def leaf(layout: Layout, name: str, flaw: Flaw | None = None) -> Path:
    """The file with the name's certificate and key: made on first use, and anew before it ends."""
    issuer = authority(layout)
    file = layout.authority / f"{name}{f'.{flaw}' if flaw else ''}.pem"
    pair = _read(file) if file.exists() else None
    wanted = timedelta.min if flaw else LEAF_RENEWAL
    if pair is None or pair.ends_within(wanted) or not _issued(pair, issuer, flaw):
        write_private(file, _pem(_issue_leaf(name, issuer, flaw)))
    return file


def _issue_leaf(name: str, issuer: Pair, flaw: Flaw | None) -> Pair:
    match flaw:
        case Flaw.EXPIRED:
            return _issue(name, issuer, timedelta(days=-1))
        case Flaw.EXPIRING:
            return _issue(name, issuer, timedelta(days=10))
        case Flaw.WRONG_NAME:
            return _issue(WRONG_NAME, issuer, LEAF_LIFE)
        case Flaw.SELF_SIGNED:
            return _issue(name, None, LEAF_LIFE)
    return _issue(name, issuer, LEAF_LIFE)


def _issued(pair: Pair, issuer: Pair, flaw: Flaw | None) -> bool:
    """Whether the authority of now issued it. One that signed itself needs no authority."""
    from cryptography.exceptions import InvalidSignature

    if flaw is Flaw.SELF_SIGNED:
        return True
    try:
        pair.certificate.verify_directly_issued_by(issuer.certificate)
    except (InvalidSignature, ValueError):
        return False
    return True


def _issue(name: str, issuer: Pair | None, life: timedelta, *, is_authority: bool = False) -> Pair:
    """A new key and its certificate; without an issuer it signs itself. A negative life has ended so long ago."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    end = datetime.now(UTC) + life
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC) - timedelta(hours=1), end - LEAF_LIFE))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        purpose = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(purpose, critical=False)
    builder = builder.add_extension(_usage(signs_certificates=is_authority), critical=True)
    return Pair(builder.sign(signer, hashes.SHA256()), key)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _pem(pair: Pair) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    secret = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (_certificate_pem(pair.certificate) + secret).decode()


def _read(file: Path) -> Pair:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = file.read_bytes()
    key = load_pem_private_key(content, None)
    assert isinstance(key, EllipticCurvePrivateKey), "we made it"
    return Pair(x509.load_pem_x509_certificate(content), key)
