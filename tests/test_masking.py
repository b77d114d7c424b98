"""What leaves a command as an error holds no secret, and is an error that says what to do."""

from __future__ import annotations

import pytest

from runbooks.engine.errors import InputError, RunbookError
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.masking import masked

WORD = "Zx81-hidden-word"
REDACTOR = Redactor([Secret("PASSWORD", WORD)])


def test_every_part_of_an_error_is_masked_and_its_exit_code_stays() -> None:
    with pytest.raises(InputError) as caught, masked(REDACTOR):
        raise InputError(f"what {WORD}", where=f"where {WORD}", found=f"found {WORD}", mend=f"mend {WORD}")

    assert WORD not in str(caught.value) + repr(caught.value)
    assert str(caught.value).count("[PASSWORD]") == 4
    assert caught.value.exit_code == 2


def test_a_bug_leaves_as_an_error_with_its_place_and_without_the_chain_that_shows_it() -> None:
    with pytest.raises(RunbookError) as caught, masked(REDACTOR):
        raise ZeroDivisionError(WORD)

    assert (caught.value.exit_code, caught.value.__suppress_context__) == (1, True)
    assert "ZeroDivisionError: [PASSWORD]" in caught.value.found
    assert caught.value.where.startswith("test_masking.py:")


def test_an_interrupt_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt), masked(REDACTOR):
        raise KeyboardInterrupt
