"""A check that is declared wrongly is told by what is wrong with it."""

from __future__ import annotations

import pytest

from runbooks.checks.declare import check
from runbooks.engine.check import Evidence, Severity
from runbooks.engine.errors import InputError


def test_a_misspelt_id_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InputError) as refused:
        check("health.datbase", severity=Severity.MINOR, evidence=Evidence.PROBE, target="application")

    assert refused.value.mend == "did you mean health.database?"
