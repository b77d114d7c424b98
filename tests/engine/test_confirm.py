from __future__ import annotations

import pytest

from runbooks.engine.confirm import confirm
from runbooks.engine.errors import InputError


def asked(typed: str | type[BaseException]) -> list[str]:
    """What was shown and asked when this was typed on a terminal."""
    seen: list[str] = []

    def ask(prompt: str) -> str:
        seen.append(prompt)
        if isinstance(typed, str):
            return typed
        raise typed

    confirm("production", ["3 orders are lost"], given=None, ask=ask, show=seen.append)
    return seen


def test_what_is_lost_is_shown_before_the_name_is_asked_for() -> None:
    assert asked(" production\t") == ["3 orders are lost", "Type production to go on: "]


@pytest.mark.parametrize("typed", ["y", "yes", "", "Production", "staging", EOFError])
def test_anything_but_the_name_is_a_no(typed: str | type[BaseException]) -> None:
    with pytest.raises(InputError, match="production was not confirmed, so nothing was done"):
        asked(typed)


def test_the_name_on_the_command_line_is_enough_and_nothing_is_asked() -> None:
    shown: list[str] = []
    confirm("production", ["a change"], given="production", ask=lambda _: pytest.fail("asked"), show=shown.append)

    assert shown == ["a change"]


@pytest.mark.parametrize("given", ["", "yes", "staging"])
def test_another_name_on_the_command_line_is_not_asked_about_again(given: str) -> None:
    with pytest.raises(InputError, match="was not confirmed"):
        confirm("production", [], given=given, ask=lambda _: "production", show=print)


def test_without_a_terminal_the_flag_is_named() -> None:
    with pytest.raises(InputError, match="there is no terminal to ask on") as caught:
        confirm("production", [], given=None, ask=None, show=print)

    assert "--confirm production" in caught.value.mend
    assert caught.value.exit_code == 2
