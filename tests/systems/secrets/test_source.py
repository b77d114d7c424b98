"""A declaration opens the source that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.systems.secrets.command import CommandSource, Format
from runbooks.systems.secrets.dotenv import DotenvSource
from runbooks.systems.secrets.process_environment import ProcessEnvironmentSource
from runbooks.systems.secrets.source import SourceDeclaration, SourceKind, open_source


def test_a_dotenv_path_is_relative_to_the_environments_folder(tmp_path: Path) -> None:
    declared = SourceDeclaration(SourceKind.DOTENV, path=Path("../shared/v.env"))
    folder = tmp_path / "production"
    assert open_source(declared, folder, {}) == DotenvSource(tmp_path / "shared" / "v.env")


def test_a_command_has_defaults(tmp_path: Path) -> None:
    declared = SourceDeclaration(SourceKind.COMMAND, command=("sops", "-d", "v.env"))
    expected = CommandSource(("sops", "-d", "v.env"), Format.DOTENV, 30, tmp_path, {"PATH": "/bin"})
    assert open_source(declared, tmp_path, {"PATH": "/bin"}) == expected


def test_a_prefix_chooses_variables_and_is_removed(tmp_path: Path) -> None:
    declared = SourceDeclaration(SourceKind.ENVIRONMENT, prefix="PRAVIEL_")
    source = open_source(declared, tmp_path, {"PRAVIEL_A": "1", "A": "2", "PRAVIEL_": "3"})
    assert {name: secret.reveal() for name, secret in source.load().items()} == {"A": "1"}
    assert source.origin == "environment variables PRAVIEL_*"


def test_the_process_environment_is_read_once() -> None:
    environ = {"A": "1"}
    source = ProcessEnvironmentSource(environ)
    source.load()
    environ["A"] = "2"
    assert source.load()["A"].reveal() == "1"


@pytest.mark.parametrize("kind", [SourceKind.DOTENV, SourceKind.COMMAND])
def test_a_declaration_without_its_main_key_is_refused(tmp_path: Path, kind: SourceKind) -> None:
    with pytest.raises(InputError, match="source needs"):
        open_source(SourceDeclaration(kind), tmp_path, {})
