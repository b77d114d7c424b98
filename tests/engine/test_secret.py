from __future__ import annotations

import copy
import pickle

import pytest

from runbooks.engine.secret import Secret

VALUE = "correct-horse-battery"
SECRET = Secret("DATABASE_PASSWORD", VALUE)


@pytest.mark.parametrize("shown", [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET!r:>40}", f"{[SECRET]}"])
def test_showing_a_secret_shows_its_name_only(shown: str) -> None:
    assert "<secret DATABASE_PASSWORD>" in shown
    assert VALUE not in shown


def test_only_asking_for_the_value_gives_it() -> None:
    assert SECRET.reveal() == VALUE


def test_pickling_and_copying_are_refused() -> None:
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="secret DATABASE_PASSWORD must not be pickled"):
            attempt(SECRET)


def test_secrets_are_compared_by_value_and_with_nothing_else() -> None:
    assert Secret("OLD", VALUE) == Secret("NEW", VALUE)
    assert Secret("OLD", VALUE) != Secret("OLD", VALUE + "!")
    assert SECRET != VALUE


def test_a_value_whose_bytes_are_no_utf8_can_be_compared() -> None:
    assert Secret("A", "\udcff" * 8) == Secret("A", "\udcff" * 8)


def test_an_empty_secret_is_false() -> None:
    assert not Secret("A", "")
    assert SECRET
