"""Certificates are made once, made anew before they end, and kept from others."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from runbooks.sandbox import authority
from runbooks.sandbox.authority import Flaw, leaf
from runbooks.sandbox.layout import Layout

NAME = "api.praviel.test"


@pytest.fixture
def kept(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def names(file: Path) -> list[str]:
    extension = certificate(file).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName)


def test_a_name_has_one_certificate_of_our_own_authority(kept: Layout) -> None:
    file = leaf(kept, NAME)
    before = file.read_bytes()

    certificate(file).verify_directly_issued_by(certificate(kept.authority_certificate))
    assert names(file) == [NAME]
    assert leaf(kept, NAME).read_bytes() == before


def test_keys_are_their_owners_and_the_authoritys_certificate_is_everybodys(kept: Layout) -> None:
    leaf(kept, NAME)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.authority.iterdir()}
    assert modes == {"authority.pem": 0o600, "ca.pem": 0o644, f"{NAME}.pem": 0o600}
    assert b"PRIVATE" not in kept.authority_certificate.read_bytes()


def test_a_certificate_is_made_anew_before_it_ends(kept: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority, "LEAF_LIFE", timedelta(days=20))
    before = certificate(leaf(kept, NAME))
    monkeypatch.undo()

    after = certificate(leaf(kept, NAME))

    assert before.serial_number != after.serial_number
    assert after.not_valid_after_utc - datetime.now(UTC) > timedelta(days=80)


def test_a_new_authority_issues_new_certificates(kept: Layout) -> None:
    before = certificate(leaf(kept, NAME))
    (kept.authority / "authority.pem").unlink()

    after = leaf(kept, NAME)

    assert certificate(after).serial_number != before.serial_number
    certificate(after).verify_directly_issued_by(certificate(kept.authority_certificate))


def test_flaws_are_what_they_are_called_and_leave_the_good_one_alone(kept: Layout) -> None:
    good = leaf(kept, NAME).read_bytes()
    now = datetime.now(UTC)

    assert certificate(leaf(kept, NAME, Flaw.EXPIRED)).not_valid_after_utc < now
    assert certificate(leaf(kept, NAME, Flaw.EXPIRING)).not_valid_after_utc - now < timedelta(days=14)
    assert names(leaf(kept, NAME, Flaw.WRONG_NAME)) == ["www.example.org"]
    own = certificate(leaf(kept, NAME, Flaw.SELF_SIGNED))
    assert own.issuer == own.subject
    assert leaf(kept, NAME).read_bytes() == good
