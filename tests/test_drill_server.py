"""Drills in a server of their own: started for one drill, proven, and nothing is left of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from runbooks import project, snapshots
from runbooks.options import Options
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.cluster import SERVER_PROGRAMS
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, PROVEN, Drill
from tests.crash.sandboxes import killed_at, succeeds
from tests.sandbox.servers import open_folder
from tests.vaults import Vault

CLUSTER = {"cluster": True}


@pytest.fixture
def vault(sandbox: Sandbox, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """With one snapshot, where the user that PostgreSQL runs as may pass."""
    with open_folder() as folder:
        monkeypatch.setenv(project.VARIABLE, str(folder))
        made = Vault(folder, sandbox, database)
        made.write()
        made.create()
        yield made
        made.prune()
        assert servers(made) == []


def drilled(vault: Vault, code: int = 0) -> str:
    return vault._run(
        lambda options: snapshots.start("backup.drill", "newest", _with_cluster(options)),
        code,
    )


def _with_cluster(options: Options) -> Options:
    return Options(environment=options.environment, stream=options.stream, parameters=CLUSTER)


def work(vault: Vault) -> Path:
    return vault.project / "var" / "snapshots" / "vault"


def servers(vault: Vault) -> list[list[str]]:
    """The command lines of whatever runs in the work folder."""
    return [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if any(str(work(vault)) in word for word in process.info["cmdline"] or [])
    ]


def nothing_is_left(vault: Vault) -> None:
    assert servers(vault) == []
    assert not work(vault).exists() or list(work(vault).iterdir()) == []
    assert vault.siblings() == []


def only_drill(vault: Vault) -> Drill:
    (drill,) = drills.drills(vault.snapshots().shelf.store)
    return drill


def last_run(vault: Vault) -> str:
    return max(path.name for path in (vault.project / "var" / "runs" / "vault").iterdir())


def test_a_drill_in_its_own_server_is_proven_measured_and_leaves_nothing(vault: Vault) -> None:
    said = drilled(vault)

    drill = only_drill(vault)
    assert "PROVEN" in said
    assert "one changed value in" in said
    assert drill.verdict == PROVEN
    assert set(drill.seconds) == {"fetch", "start-server", "create-sibling", "fill", "prove", "ask"}
    assert drill.rto == pytest.approx(sum(drill.seconds.values()), abs=0.01)
    nothing_is_left(vault)


def test_without_a_servers_programs_it_is_refused_and_says_what_to_install(vault: Vault) -> None:
    tree = vault.project / "client"
    shutil.copytree(vault.own_programs.parent / "lib", tree / "lib", symlinks=True)
    (tree / "bin").mkdir()
    for name in ("pg_dump", "pg_restore"):
        shutil.copy(vault.own_programs / name, tree / "bin")
    vault.programs = tree / "bin"
    vault.write()

    said = drilled(vault, 6)

    assert f"no {', '.join(SERVER_PROGRAMS)}" in said
    assert "install postgresql-18" in said
    nothing_is_left(vault)


def test_without_the_extensions_it_fails_and_says_what_to_install(vault: Vault) -> None:
    tree = vault.project / "bare"
    shutil.copytree(vault.own_programs.parent, tree, symlinks=True)
    for control in (tree / "share").rglob("vector.control"):
        control.unlink()
    vault.programs = tree / "bin"
    vault.write()

    said = drilled(vault, 6)

    assert "the extension vector" in said
    assert "postgresql-18-pgvector" in said
    assert only_drill(vault).verdict == FAILED
    nothing_is_left(vault)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_is_told_where_its_server_could_not_be(vault: Vault) -> None:
    vault.project.chmod(0o700)

    said = drilled(vault, 6)

    assert "who can't enter the folder" in said
    assert str(vault.project) in said


POINTS = [
    pytest.param("after:intent/start-server", marks=pytest.mark.crash),
    pytest.param("before:outcome/start-server"),
    pytest.param("before:outcome/fill", marks=pytest.mark.crash),
    pytest.param("before:outcome/remove", marks=pytest.mark.crash),
]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("runs.resume",), 0),
        pytest.param(("runs.abort",), 6, marks=pytest.mark.crash),
        pytest.param(("backup.prune", "--env", "vault"), 0, marks=pytest.mark.crash),
    ],
)
def test_a_killed_drill_leaves_nothing_that_is_not_found(
    point: str, words: tuple[str, ...], code: int, vault: Vault
) -> None:
    killed_at(vault.shell, point, "backup.drill", "--cluster", "--env", "vault")

    words = words if words[0] == "backup.prune" else (*words, last_run(vault))
    said = succeeds(vault.shell, *words, code=code)

    nothing_is_left(vault)
    if words[0] == "runs.resume":
        assert "PROVEN" in said
        assert only_drill(vault).verdict == PROVEN


def test_a_plan_starts_nothing_and_says_what_would_be(vault: Vault) -> None:
    said = succeeds(vault.shell, "backup.drill", "--cluster", "--plan", "--env", "vault")

    assert "initdb and pg_ctl start in" in said
    nothing_is_left(vault)
