"""Which environments there are, and which one a command means."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.environment.discover import choose, names
from tests.environment.inventories import inventory_with

SANDBOXES = {"local": "", "local_staging": "", "example": ""}


def refusal(inventory: Path, wanted: str | None, environ: dict[str, str] | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        choose(inventory, wanted, environ or {})
    return caught.value


def test_every_folder_is_an_environment_and_nothing_else(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, staging="", local_staging="")
    (inventory / "half-made").mkdir()
    (inventory / ".hidden").mkdir()
    (inventory / "__pycache__").mkdir()
    (inventory / "README.md").touch()
    assert names(inventory) == ("half-made", "local-staging", "staging")


def test_a_bare_command_means_local_while_nothing_else_is_there(tmp_path: Path) -> None:
    assert choose(inventory_with(tmp_path, **SANDBOXES), None, {}) == "local"


def test_a_bare_command_is_refused_once_there_is_another_environment(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, **SANDBOXES, production="")
    error = refusal(inventory, None)
    assert error.exit_code == 2
    assert error.found == "local, local-staging, production"
    assert "--env production" in error.mend
    assert "RUNBOOKS_ENV=production" in error.mend


def test_an_incomplete_environment_is_enough_to_refuse_a_bare_command(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, **SANDBOXES)
    (inventory / "Production").mkdir()
    assert "several environments" in str(refusal(inventory, None))


def test_the_command_wins_over_the_variable_and_the_variable_over_the_default(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, **SANDBOXES, production="", staging="")
    environ = {"RUNBOOKS_ENV": "staging"}
    assert choose(inventory, "production", environ) == "production"
    assert choose(inventory, None, environ) == "staging"
    assert choose(inventory, "local", environ) == "local"


def test_an_empty_variable_names_nothing_but_an_empty_argument_is_a_mistake(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, **SANDBOXES)
    assert choose(inventory, None, {"RUNBOOKS_ENV": ""}) == "local"
    assert "can't be an environment's name" in str(refusal(inventory, ""))


def test_the_example_can_not_be_run(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, **SANDBOXES)
    for error in (refusal(inventory, "example"), refusal(inventory, None, {"RUNBOOKS_ENV": "example"})):
        assert "a template" in error.what
        assert error.mend.startswith("cp -r ")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("prodction", "did you mean 'production'?"),
        ("Production", "did you mean 'production'?"),
        ("production ", "did you mean 'production'?"),
        ("zzz", "cp -r inventory/example inventory/zzz"),
        ("../production", "did you mean 'production'?"),
        ("a" * 41, "local, local-staging, production"),
        ("local\n", "did you mean 'local'?"),
    ],
)
def test_a_wrong_name_suggests_the_nearest(tmp_path: Path, wanted: str, words: str) -> None:
    inventory = inventory_with(tmp_path, **SANDBOXES, production="")
    assert words in str(refusal(inventory, wanted))
    assert words in str(refusal(inventory, None, {"RUNBOOKS_ENV": wanted}))


def test_a_missing_inventory_is_told(tmp_path: Path) -> None:
    error = refusal(tmp_path / "inventory", None)
    assert "the inventory can't be read" in error.what
    assert error.found == "No such file or directory"
