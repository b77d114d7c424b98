"""The token in a mail, and what a reset came to."""

from __future__ import annotations

import re

import httpx
import pytest

from runbooks.checks.letters import _LINK, Letter, Reset
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer

TOKEN = "Ab-9_x.~YzAb-9_x.~Yz"


def answer(status: int) -> Answer:
    return Answer("GET", "http://a/b", status, httpx.Headers(), b"", 0.0)


@pytest.mark.parametrize(
    "body",
    [
        f"Open this link:\n\nhttps://app.praviel.com/reset-password?token={TOKEN}\n",
        f'<a href="https://app.praviel.com/#/password-reset?lang=en&token={TOKEN}">Reset</a>',
        f"<https://app.praviel.com/auth/reset?token={TOKEN}>",
    ],
)
def test_the_token_of_the_link_is_found(body: str) -> None:
    found = re.search(_LINK.format(word="reset"), body)

    assert found
    assert found[1] == TOKEN


@pytest.mark.parametrize(
    "body",
    [
        f"https://app.praviel.com/verify-email?token={TOKEN}",
        "https://app.praviel.com/reset-password?token=short",
        f"To reset it, say token={TOKEN}",
    ],
)
def test_another_link_is_not_taken_for_it(body: str) -> None:
    assert not re.search(_LINK.format(word="reset"), body)


LETTER = Letter(Secret("token", TOKEN), 0.1)
PASSWORD = Secret("password", "not-of-interest")


def test_a_reset_that_went_well_has_no_problem() -> None:
    assert Reset(answer(200), LETTER, answer(200), PASSWORD).problem(6) == ""


@pytest.mark.parametrize(
    ("reset", "problem"),
    [
        (Reset(answer(500), None, None, PASSWORD), "the request for a mail: HTTP 500"),
        (Reset(answer(200), None, None, PASSWORD), "came within 6 s"),
        (Reset(answer(200), LETTER, answer(400), PASSWORD), "the mailed token was refused: HTTP 400"),
    ],
)
def test_one_that_did_not_says_where_it_stopped(reset: Reset, problem: str) -> None:
    assert problem in reset.problem(6)
