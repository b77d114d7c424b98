"""References of the inventory become values when they are needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.environment.load import load
from runbooks.environment.resolve import Values, open_values
from runbooks.environment.value import SecretRef, VariableRef
from tests.environment.inventories import SMALL, inventory_with


@pytest.fixture
def values(tmp_path: Path) -> Values:
    """The values of a small inventory whose variables file holds a database URL and an empty key."""
    inventory = inventory_with(tmp_path, production=SMALL)
    file = inventory / "production" / "variables.env"
    file.write_text("DATABASE_URL=postgresql://db/app\nEMPTY=\n", encoding="utf-8")
    file.chmod(0o600)
    return open_values(load(inventory, "production"), {"FINGERPRINT_KEY": "from the process"})


def test_a_variable_comes_from_the_application_and_a_secret_from_the_tools_own_source(values: Values) -> None:
    assert values.resolve(VariableRef("DATABASE_URL"), "database.url").reveal() == "postgresql://db/app"
    assert values.resolve(SecretRef("FINGERPRINT_KEY"), "fingerprints.key").reveal() == "from the process"


def test_a_literal_is_its_own_value(values: Values) -> None:
    assert values.resolve("https://api.example.org", "application.url").reveal() == "https://api.example.org"


def test_a_name_that_is_not_there_is_told_with_the_key_that_needs_it(values: Values) -> None:
    with pytest.raises(InputError) as caught:
        values.resolve(VariableRef("DATABASE_URI"), "database.url")
    assert "'database.url' needs DATABASE_URI, which is missing in [variables]" in str(caught.value)
    assert caught.value.where.endswith("variables.env")
    assert caught.value.mend == "did you mean 'DATABASE_URL'?"


def test_an_empty_value_is_not_a_value(values: Values) -> None:
    with pytest.raises(InputError, match="is empty in"):
        values.resolve(VariableRef("EMPTY"), "redis.url")


def test_sources_are_not_read_before_a_value_is_needed(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production=SMALL)
    values = open_values(load(inventory, "production"), {})
    with pytest.raises(InputError, match="a secrets file is missing"):
        values.resolve(VariableRef("DATABASE_URL"), "database.url")
