"""Whether a key is exactly one Fernet key, and values under two of them."""

from __future__ import annotations

import base64

import pytest
from cryptography.fernet import Fernet

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.systems.secrets import fernet
from runbooks.systems.secrets.fernet import Keys

OLD, NEW = Secret("OLD", Fernet.generate_key().decode()), Secret("NEW", Fernet.generate_key().decode())


def test_a_generated_key_is_one() -> None:
    assert fernet.problem(Fernet.generate_key().decode()) == ""


def key_of(length: int) -> str:
    return base64.urlsafe_b64encode(b"\xff" * length).decode()


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "has 0 characters"),
        (key_of(32)[:-1], "has 43 characters"),
        (f"{key_of(32)},{key_of(32)}", "has 89 characters"),
        (f" {key_of(32)}", "has 45 characters"),
        (key_of(31), "decodes to 31 bytes"),
        (key_of(33), "decodes to 33 bytes"),
        (key_of(32)[:-2] + "!=", "is not URL-safe base64"),
        ("é" * 44, "is not URL-safe base64"),
        ("=" * 44, "is not URL-safe base64"),
    ],
)
def test_what_is_not_exactly_one_key_says_why(key: str, problem: str) -> None:
    assert fernet.problem(key).startswith(problem)


@pytest.mark.parametrize(
    "value", [f"{OLD.reveal()},{NEW.reveal()}", OLD.reveal()[:-1], ""], ids=["two keys", "cut", "empty"]
)
def test_a_new_key_that_is_not_exactly_one_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(InputError, match="NEW is not exactly one Fernet key") as caught:
        Keys.checked(OLD, Secret("NEW", value))
    assert OLD.reveal() not in str(caught.value)


def test_the_same_key_is_refused_also_where_it_is_written_otherwise() -> None:
    raw = base64.urlsafe_b64decode(OLD.reveal())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last letter holds two bits that mean nothing.
    twin = OLD.reveal()[:-2] + alphabet[alphabet.index(OLD.reveal()[-2]) ^ 1] + "="
    assert base64.urlsafe_b64decode(twin) == raw
    for same in (OLD.reveal(), twin):
        with pytest.raises(InputError, match="the new key is the old one"):
            Keys.checked(OLD, Secret("NEW", same))


def test_a_value_is_held_under_both_keys_whichever_it_came_with() -> None:
    keys = Keys.checked(OLD, NEW)
    old, new, third = (Fernet(key) for key in (OLD.reveal(), NEW.reveal(), Fernet.generate_key()))
    tokens = [
        old.encrypt(b"one").decode(),
        new.encrypt(b"two").decode(),
        third.encrypt(b"three").decode(),
        "",
        "gAAAAA",
    ]

    pairs, strange = keys.paired(enumerate(tokens))

    assert strange == [2, 3, 4]
    assert [id for id, _, _ in pairs] == [0, 1]
    assert [old.decrypt(before) for _, before, _ in pairs] == [b"one", b"two"]
    assert [new.decrypt(after) for _, _, after in pairs] == [b"one", b"two"]
    assert (pairs[0][1], pairs[1][2]) == (tokens[0], tokens[1])
    assert [keys.opened_by(token) for token in tokens] == ["old", "new", "neither", "neither", "neither"]


def test_values_under_still_older_keys_are_held_under_the_new_one_and_go_back_as_they_came() -> None:
    older, third = Secret("OLDER", Fernet.generate_key().decode()), Fernet(Fernet.generate_key())
    keys = Keys.checked(OLD, NEW, older)
    tokens = [Fernet(key).encrypt(b"value").decode() for key in (OLD.reveal(), older.reveal())]

    pairs, strange = keys.paired([*enumerate(tokens), (2, third.encrypt(b"lost").decode())])

    assert strange == [2]
    assert [before for _, before, _ in pairs] == tokens
    assert {Fernet(NEW.reveal()).decrypt(after) for _, _, after in pairs} == {b"value"}
    with pytest.raises(InputError, match="the new key is the old one"):
        Keys.checked(OLD, NEW, NEW)
