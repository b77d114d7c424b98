"""Tokens as an attacker would change them."""

from __future__ import annotations

import jwt
import pytest

from runbooks.checks.tokens import claims, signed
from runbooks.engine.errors import Reason, SystemFault

KEY = "a-key-of-at-least-thirty-two-characters"


def test_a_signed_token_is_accepted_by_the_usual_library() -> None:
    token = signed({"sub": "7"}, KEY)

    assert jwt.decode(token, KEY, algorithms=["HS256"]) == {"sub": "7"}
    assert claims(token) == {"sub": "7"}


def test_a_forged_one_is_not() -> None:
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(signed({"sub": "7"}, KEY + "x"), KEY, algorithms=["HS256"])


def test_one_without_a_signature_says_none() -> None:
    token = signed({"sub": "7"}, "", "none")

    assert jwt.get_unverified_header(token)["alg"] == "none"
    assert token.endswith(".")


@pytest.mark.parametrize("text", ["", "abc", "a.b.c", "a.W10.c", "a.IiI.c", "a.Nw.c", "a.bnVsbA.c", "ä.ä.ä"])
def test_something_else_is_a_bad_answer(text: str) -> None:
    with pytest.raises(SystemFault, match="not a JSON web token") as caught:
        claims(text)

    assert caught.value.reason is Reason.BAD_ANSWER
