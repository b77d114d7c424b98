"""A release's checkout, read without running it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.source.checkout import LARGEST_TEXT, Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def revision(folder: Path, name: str, below: object, *, annotated: bool = False) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    kind = ": str | None" if annotated else ""
    (versions / f"{name}.py").write_text(
        f"revision{kind} = {name!r}\ndown_revision{kind} = {below!r}\nraise Exception\n"
    )


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
        Checkout(tmp_path / "nowhere").find("text")

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
