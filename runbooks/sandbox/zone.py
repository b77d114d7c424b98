"""Every DNS record of the sandbox: its own names, and those of the mail service that it sends by."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runbooks.engine.atomic import write_atomically
from runbooks.sandbox import names
from runbooks.sandbox.files import private_folder, read_state, update_state, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.ports import LOOPBACK

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

STATE = "records"
"""The entry of the sandbox's state that holds changed records: name and type to their values; none: no record."""

DKIM_BITS = 2048
LONGEST_TEXT = 255
"""Characters of one string of a TXT record; longer texts are several strings."""

SENDERS = {
    "amazonses.com": "54.240.0.0/18",
    "sendgrid.net": "167.89.0.0/17",
    "mailgun.org": "198.61.254.0/23",
    "spf.mtasv.net": "50.31.156.96/27",
}
"""Mail services that the sandbox could send by, and a network that each sends from."""

Records = Mapping[tuple[str, str], Sequence[str]]
"""Values by name and type, as a zone's master file writes them."""


def write(layout: Layout) -> None:
    """Write the zone as it should be now. The server reads it again when it has changed."""
    private_folder(layout.dns)
    text = master_file(_changed(records(dkim_key(layout)), read_state(layout).get(STATE, {})))
    if not layout.zone.exists() or layout.zone.read_text() != text:
        write_atomically(layout.zone, text.encode(), 0o600)


def change(layout: Layout, name: str, kind: str, values: Sequence[str] | None) -> None:
    """Replace the values of a name's record; none: take it away; None: as usual again. Takes effect at once."""
    changed = {**read_state(layout).get(STATE, {}), f"{name} {kind}": values}
    update_state(layout, STATE, {key: kept for key, kept in changed.items() if kept is not None})
    write(layout)


def records(dkim: str) -> Records:
    """The records of a healthy sandbox.

    Args:
        dkim: The public key that mail is signed with (base64).
    """
    domain = names.DOMAIN
    return {
        (domain, "SOA"): [f"ns.{domain}. hostmaster.{domain}. 1 3600 600 604800 60"],
        (domain, "NS"): [f"ns.{domain}."],
        (f"ns.{domain}", "A"): [LOOPBACK],
        **{(name, "A"): [LOOPBACK] for name in names.ALL},
        (domain, "MX"): [f"10 mx.{domain}."],
        (f"mx.{domain}", "A"): [LOOPBACK],
        (domain, "TXT"): [text("v=spf1 mx include:sendgrid.net include:mailgun.org include:spf.mtasv.net -all")],
        (f"resend._domainkey.{domain}", "TXT"): [text(f"v=DKIM1; k=rsa; p={dkim}")],
        (f"_dmarc.{domain}", "TXT"): [text(f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}")],
        **{(f"{path}.{domain}", "TXT"): [text("v=spf1 include:amazonses.com ~all")] for path in ("send", "mail")},
        (f"send.{domain}", "MX"): ["10 feedback-smtp.eu-west-1.amazonses.com."],
        **{(name, "TXT"): [text(f"v=spf1 ip4:{network} -all")] for name, network in SENDERS.items()},
        ("feedback-smtp.eu-west-1.amazonses.com", "A"): [LOOPBACK],
    }


def text(content: str) -> str:
    """A TXT record's value: quoted, in as many strings as its length takes."""
    parts = [content[start : start + LONGEST_TEXT] for start in range(0, len(content), LONGEST_TEXT)]
    return " ".join(f'"{part}"' for part in parts)


def master_file(records: Records) -> str:
    """The records as a zone's master file, which may be edited by hand until the sandbox writes it anew."""
    lines = [f"{name}. 60 IN {kind} {value}" for (name, kind), values in records.items() for value in values]
    return "\n".join(lines) + "\n"


def dkim_key(layout: Layout) -> str:
    """The public half of the key that mail would be signed with; made on first use."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    public = layout.dns / "dkim-public"
    if not public.exists():
        key: RSAPrivateKey = rsa.generate_private_key(65537, DKIM_BITS)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(layout.dns / "dkim-key.pem", secret.decode())
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        write_private(public, base64.b64encode(der).decode())
    return public.read_text()


def _changed(usual: Records, changes: Mapping[str, Sequence[str]]) -> Records:
    keys = {key: key.partition(" ") for key in changes}
    return {**usual, **{(name, kind): changes[key] for key, (name, _, kind) in keys.items()}}
