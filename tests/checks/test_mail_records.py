"""SPF, DKIM and DMARC are read as receivers read them."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runbooks.checks.mail_records import Texts, dkim_problem, dmarc, spf
from runbooks.sandbox.faults.catalogue.mail_domain import SHORT_KEY


def zone(records: Mapping[str, str | list[str]]) -> Texts:
    def texts(name: str) -> list[str]:
        found = records.get(name, [])
        return [found] if isinstance(found, str) else found

    return texts


def test_an_spf_counts_its_look_ups_over_all_that_it_includes() -> None:
    found = spf(
        "shop.test",
        zone({"shop.test": "v=spf1 a mx ip4:192.0.2.0/24 include:mail.test ~all", "mail.test": "v=spf1 a:x.test -all"}),
    )

    assert (found.problem, found.lookups, found.ending) == ("", 4, "~all")
    assert found.covers(["mail.test"])
    assert not found.covers(["other.test"])


def test_a_redirect_counts_only_without_all() -> None:
    records = {"away.test": "v=spf1 include:mail.test -all", "mail.test": "v=spf1 -all"}

    led = spf("shop.test", zone({**records, "shop.test": "v=spf1 redirect=away.test"}))
    kept = spf("shop.test", zone({**records, "shop.test": "v=spf1 redirect=away.test ~all"}))

    assert (led.lookups, led.ending, led.covers(["mail.test"])) == (2, "-all", True)
    assert (kept.lookups, kept.ending, kept.covers(["mail.test"])) == (0, "~all", False)


def test_what_stands_behind_all_does_not_count() -> None:
    assert spf("shop.test", zone({"shop.test": "v=spf1 -all include:mail.test"})).lookups == 0


@pytest.mark.parametrize(
    ("records", "shows"),
    [
        ({}, "no SPF record"),
        ({"shop.test": "v=spf10 -all"}, "no SPF record"),
        ({"shop.test": ["v=spf1 -all", "v=spf1 mx -all"]}, "2 SPF records"),
        ({"shop.test": "v=spf1 include:gone.test -all"}, "gone.test has no SPF record"),
        ({"shop.test": "v=spf1 +all"}, "everybody"),
        ({"shop.test": "v=spf1 all"}, "everybody"),
        ({"shop.test": "v=spf1 " + " ".join(f"a:h{n}.test" for n in range(11)) + " -all"}, "more than 10"),
        (
            {"shop.test": "v=spf1 include:other.test -all", "other.test": "v=spf1 include:shop.test -all"},
            "more than 10",
        ),
    ],
)
def test_an_spf_that_no_receiver_can_use_is_told(records: Mapping[str, str | list[str]], shows: str) -> None:
    assert shows in spf("shop.test", zone(records)).problem


def test_ten_look_ups_are_still_good() -> None:
    record = "v=spf1 " + " ".join(f"a:h{n}.test" for n in range(10)) + " -all"

    assert spf("shop.test", zone({"shop.test": record})).problem == ""


def rsa_key(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def ed25519_key() -> str:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def test_keys_that_are_long_enough_are_good() -> None:
    assert dkim_problem([f"p={rsa_key(1024)}"]) == ""
    assert dkim_problem([f"v=DKIM1; k=rsa; t=s; p={rsa_key(1024)}"]) == ""
    assert dkim_problem([f"v=DKIM1; k=ed25519; p={ed25519_key()}"]) == ""


@pytest.mark.parametrize(
    ("records", "shows"),
    [
        ([], "no record"),
        (["v=DKIM1; p=", "v=DKIM1; p="], "2 records"),
        (["v=DKIM1; k=rsa; p="], "revoked"),
        ([f"v=DKIM1; p={SHORT_KEY}"], "768 bits instead of 1024"),
        (["v=DKIM1; p=***"], "not base64"),
        (["v=DKIM1; p=AAAA"], "can't be read"),
        (["v=DKIM2; p=AAAA"], "no DKIM key"),
        (["something else"], "no DKIM key"),
        (["k=ed25519; p=AAAA"], "3 bytes"),
        (["k=dsa; p=AAAA"], "unknown kind 'dsa'"),
    ],
)
def test_a_key_that_proves_nothing_is_told(records: list[str], shows: str) -> None:
    assert shows in dkim_problem(records)


def test_the_policy_is_the_domains_own_or_that_of_the_nearest_above() -> None:
    own = dmarc("shop.test", zone({"_dmarc.shop.test": "v=DMARC1; p=reject"}))
    above = dmarc("mail.shop.test", zone({"_dmarc.shop.test": "v=DMARC1; p=reject; sp=quarantine; t=y"}))

    assert (own.policy, own.name) == ("p=reject", "_dmarc.shop.test")
    assert (above.policy, above.name) == ("p=quarantine, only tried out (t=y)", "_dmarc.shop.test")


@pytest.mark.parametrize(
    ("records", "shows"),
    [
        ({}, "has no DMARC record"),
        ({"shop.test": "v=DMARC1; p=reject"}, "has no DMARC record"),
        ({"_dmarc.shop.test": "v=DMARC1; rua=mailto:a@b.test"}, "no policy"),
        ({"_dmarc.shop.test": "v=DMARC1; p=refuse"}, "unknown policy 'refuse'"),
        ({"_dmarc.shop.test": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "counts as none"),
    ],
)
def test_a_policy_that_is_none_is_told(records: Mapping[str, str | list[str]], shows: str) -> None:
    assert shows in dmarc("shop.test", zone(records)).problem
