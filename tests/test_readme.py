"""The README says what is so."""

from __future__ import annotations

import re

import pytest

from runbooks import coverage
from runbooks.engine import errors
from tests.conftest import CHECKOUT, Shell

README = (CHECKOUT / "README.md").read_text()


def test_the_table_of_what_is_built_is_up_to_date() -> None:
    match = coverage.PLACE.search(README)

    assert match is not None
    assert match[2].strip() == "\n".join(coverage.markdown()), "run: invoke checklist.coverage --readme"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_what_it_links_to_exists(path: str) -> None:
    assert (CHECKOUT / path).exists()


def test_the_commands_that_it_names_exist(bare_shell: Shell) -> None:
    listed = bare_shell.invoke("--list").stdout

    families = "release|backup|variables|secrets|runs|lease|schedule|hosts|sandbox|checklist"
    named = set(re.findall(rf"invoke ((?:{families})\.[a-z]+)", README))

    assert {name for name in named if name not in listed} == set()


def test_every_exit_code_of_ours_is_in_its_table() -> None:
    ours = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "exit_code")
    }

    assert {code for code in ours if f"| {code} |" not in README} == set()


def test_versions_are_pinned_without_naming_a_registry() -> None:
    lines = [line for line in (CHECKOUT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
