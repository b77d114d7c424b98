"""Whom mail comes from: addresses, names, and whose domain it is."""

from __future__ import annotations

import pytest

from runbooks.checks.email_sender import domain_of, name_problem


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("noreply@praviel.com", "praviel.com"),
        ("No.Reply+x@Mail.Praviel.COM", "mail.praviel.com"),
        ("", ""),
        ("noreply", ""),
        ("@praviel.com", ""),
        ("noreply@", ""),
        ("noreply@localhost", ""),
        ("PRAVIEL <noreply@praviel.com>", ""),
        ("a@b.com, c@d.com", ""),
        ("a@b.com\nBcc: c@d.com", ""),
    ],
)
def test_an_address_has_a_domain_or_is_none(address: str, domain: str) -> None:
    assert domain_of(address) == domain


@pytest.mark.parametrize("name", ["PRAVIEL", "The PRAVIEL team", "Ἀθήνη @ PRAVIEL", "x" * 64])
def test_a_name_that_a_person_would_use_is_good(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("noreply@praviel.com", "an address"),
        ("PRAVIEL <noreply@praviel.com>", "an address"),
        ("PRAVIEL\r\nBcc: x", "a control character"),
        ("PRAVIEL\u202e", "a control character"),
        ("x" * 65, "has 65 characters"),
    ],
)
def test_a_name_that_receivers_would_stumble_over_is_not(name: str, problem: str) -> None:
    assert problem in name_problem(name)
