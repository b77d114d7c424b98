"""How strong a key is, and whether it is one."""

from __future__ import annotations

import secrets

import pytest
from cryptography.fernet import Fernet

from runbooks.checks.secrets import FEWEST_BITS, entropy_bits


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "a" * 64,
        "ab" * 32,
        "password" * 5,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "CHANGE_ME_IN_PRODUCTION_USE_RANDOM_STRING",
        "20251101202511012025110120251101",
        "correcthorsebatterystaplecorrecthorse",
    ],
)
def test_words_sequences_and_repeats_are_weak(weak: str) -> None:
    assert entropy_bits(weak) < FEWEST_BITS


@pytest.mark.parametrize(
    "make",
    [lambda: secrets.token_urlsafe(32), lambda: secrets.token_hex(32), lambda: Fernet.generate_key().decode()],
)
def test_random_keys_are_strong(make: object) -> None:
    for _ in range(5):
        assert entropy_bits(make()) >= FEWEST_BITS  # type: ignore[operator]


def test_half_of_a_random_key_is_too_weak() -> None:
    assert entropy_bits(secrets.token_hex(15)) < FEWEST_BITS


def test_a_very_long_key_is_estimated_in_time() -> None:
    assert entropy_bits(secrets.token_hex(5000)) >= FEWEST_BITS
