"""A release's checkout, read without running it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.source.checkout import LARGEST_TEXT, Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path, Path(sys.executable))


def revision(folder: Path, name: str, below: object, *, annotated: bool = False) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    kind = ": str | None" if annotated else ""
    (versions / f"{name}.py").write_text(
        f"revision{kind} = {name!r}\ndown_revision{kind} = {below!r}\nraise Exception\n"
    )


def settings(folder: Path, source: str) -> None:
    package = folder / "app" / "core"
    package.mkdir(parents=True)
    (package / "config.py").write_text(source)


def test_a_text_is_found_with_file_and_line(checkout: Checkout) -> None:
    (checkout.folder / "compose.yml").write_text("a\nkey: wanted-text\n")

    assert checkout.find("wanted-text") == "compose.yml:2"
    assert checkout.find("another text") is None


def test_repositories_and_data_are_stepped_over(checkout: Checkout) -> None:
    (checkout.folder / ".git").mkdir()
    (checkout.folder / ".git" / "config").write_text("wanted-text")
    (checkout.folder / "corpus.txt").write_text("wanted-text" + " " * LARGEST_TEXT)
    (checkout.folder / "gone").symlink_to("nowhere")
    (checkout.folder / "image.png").write_bytes(bytes(range(256)))

    assert checkout.find("wanted-text") is None


def test_without_a_checkout_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="no checkout") as caught:
        Checkout(tmp_path / "nowhere", None).find("text")

    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("annotated", [True, False])
def test_the_head_is_what_nothing_follows(checkout: Checkout, annotated: bool) -> None:
    revision(checkout.folder, "one", None, annotated=annotated)
    revision(checkout.folder, "two", "one", annotated=annotated)

    assert checkout.migration_heads() == ["two"]


def test_branches_have_heads_until_they_are_merged(checkout: Checkout) -> None:
    revision(checkout.folder, "one", None)
    revision(checkout.folder, "two", "one")
    revision(checkout.folder, "three", "one")
    assert checkout.migration_heads() == ["three", "two"]

    revision(checkout.folder, "four", ("two", "three"))
    assert checkout.migration_heads() == ["four"]


def test_a_migration_that_is_no_python_is_named(checkout: Checkout) -> None:
    revision(checkout.folder, "one", None)
    (checkout.folder / "migrations" / "versions" / "two.py").write_text("revision = (")

    with pytest.raises(SystemFault, match="can't be parsed") as caught:
        checkout.migration_heads()

    assert caught.value.where.endswith("two.py")


def test_the_start_command_is_railways(checkout: Checkout) -> None:
    (checkout.folder / "railway.json").write_text(json.dumps({"deploy": {"startCommand": "run it"}}))

    assert checkout.start_command() == "run it"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"deploy": []}', '{"deploy": {}}'])
def test_a_start_command_that_can_not_be_read_is_unknown(checkout: Checkout, content: str) -> None:
    (checkout.folder / "railway.json").write_text(content)

    with pytest.raises(SystemFault, match="start command"):
        checkout.start_command()


def test_settings_load_with_these_variables_and_nothing_else(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INHERITED", "yes")
    settings(checkout.folder, "import os\nsettings = os.environ['GIVEN']\nassert 'INHERITED' not in os.environ\n")

    assert checkout.settings_problem({"GIVEN": Secret("GIVEN", "yes")}, 20) is None


def test_settings_that_do_not_load_show_the_exception_only(checkout: Checkout) -> None:
    settings(checkout.folder, "import os\nos.environ['WANTED']\n")

    problem = checkout.settings_problem({}, 20)

    assert problem is not None
    assert problem.endswith("KeyError: 'WANTED'")
    assert "import os" not in problem


def test_settings_that_hang_are_unknown(checkout: Checkout) -> None:
    settings(checkout.folder, "import time\ntime.sleep(60)\n")

    with pytest.raises(SystemFault, match="hangs") as caught:
        checkout.settings_problem({}, 0.5)

    assert caught.value.reason is Reason.TIMED_OUT


def test_without_an_interpreter_settings_are_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="can't be loaded here"):
        Checkout(tmp_path, None).settings_problem({}, 1)
    with pytest.raises(SystemFault, match="can't be started"):
        Checkout(tmp_path, tmp_path / "python").settings_problem({}, 1)
