"""One sandbox for the whole session, in a project folder of its own: nobody's running one is touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from runbooks import project
from runbooks.sandbox import ports, postgres_install
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.world import Sandbox
from tests.sandbox.servers import fresh_layout, link_installed, open_folder

if TYPE_CHECKING:
    from runbooks.systems.snapshots.manifest import Manifest
    from tests.shops import Shop
    from tests.standin import Provider
    from tests.vaults import Vault

# A shell ignores it for what a script starts with `&`, and everything that is started from there inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("suite", deadline=None)  # a busy machine is no defect
settings.load_profile("suite")

CHECKOUT = Path(__file__).resolve().parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:
    WIDTH = len(ports.BELOW_CLIENTS) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    FIRST = ports.BELOW_CLIENTS.start + WIDTH * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.environ[ports.VARIABLE] = f"{FIRST}-{FIRST + WIDTH - 1}"  # sandboxes of two processes start at the same time

OURS = ("RUNBOOKS_", "PRAVIEL_", "DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Shell:
    """Types commands as an operator would, in one project folder."""

    project: Path

    def invoke(
        self, *words: str, seconds: float = 120, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """``invoke`` with these words, standard output and error apart, nothing on standard input."""
        return subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=CHECKOUT,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The same without waiting: for commands that are interrupted."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *words],
            cwd=CHECKOUT,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """This process's variables without any that would steer the tool, and those that steer it to this project."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # or each command compiles the whole project anew
        return kept | {project.VARIABLE: str(self.project)} | dict(more or {})


def new_project(folder: Path, *, rehearsed: bool = True) -> Shell:
    """A project folder with the checkout's inventory and nothing else.

    Args:
        folder: Where to.
        rehearsed: Whether its sandbox rehearses its load on the first start, which takes some seconds.
    """
    shutil.copytree(CHECKOUT / "inventory", folder / "inventory")
    if not rehearsed:
        file = folder / "inventory" / "local" / "environment.toml"
        text = file.read_text()
        assert "[load]\nallowed = true" in text
        file.write_text(text.replace("[load]\nallowed = true", "[load]\nallowed = false"))
    return Shell(folder)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is steered by the variables of whoever starts it."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def installed() -> Iterator[Layout]:
    """A layout with PostgreSQL unpacked, to be linked from; takes some 3 s."""
    with fresh_layout() as layout:
        postgres_install.install(layout)
        yield layout


@pytest.fixture(scope="session")
def sandbox_shell(installed: Layout) -> Iterator[Shell]:
    """A project whose sandbox runs; its folder can be entered by the user that PostgreSQL runs as."""
    with open_folder() as folder:
        shell = new_project(folder)
        link_installed(installed, prepare(folder))
        try:
            up = shell.invoke("sandbox.up", seconds=280)
            assert up.returncode == 0, up.stdout + up.stderr
            yield shell
        finally:
            down = shell.invoke("sandbox.down")
            assert down.returncode == 0, down.stdout + down.stderr


@pytest.fixture
def shell(sandbox_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The project whose sandbox runs, also for code that is called in this process."""
    monkeypatch.setenv(project.VARIABLE, str(sandbox_shell.project))
    Sandbox.of(sandbox_shell.project).forget_rate_limits()
    return sandbox_shell


@pytest.fixture
def sandbox(shell: Shell) -> Sandbox:
    """The sandbox that runs."""
    return Sandbox.of(shell.project)


@pytest.fixture
def bare_shell(tmp_path: Path) -> Shell:
    """A project with an inventory and no sandbox."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def running_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The third parties' stand-in, alone."""
    from tests import standin

    with standin.running(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """The third parties' stand-in as it is while nothing is wrong."""
    running_provider.reset()
    return running_provider


@pytest.fixture
def shop(tmp_path: Path, sandbox: Sandbox) -> Shop:
    """An environment that is no sandbox, in a project of its own."""
    from tests.shops import Shop

    return Shop.of(tmp_path, sandbox)


@pytest.fixture(scope="module")
def database(sandbox_shell: Shell) -> Iterator[str]:
    """A database with one of everything, for the tests of one module; its name."""
    from tests.vaults import rich_database

    with rich_database(Sandbox.of(sandbox_shell.project)) as name:
        yield name


@pytest.fixture
def vault(sandbox: Sandbox, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """An environment whose database holds one of everything."""
    from tests.vaults import Vault

    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    made = Vault(tmp_path, sandbox, database)
    made.write()
    return made


@pytest.fixture(scope="module")
def kept(sandbox_shell: Shell, database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A store's snapshots, of which there is one, and its manifest."""
    from tests.vaults import Vault

    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(project.VARIABLE, str(folder))
        made = Vault(folder, Sandbox.of(sandbox_shell.project), database)
        made.write()
        manifest, _ = made.create()
    return folder / "store" / "snapshots", manifest


@pytest.fixture
def manifest(vault: Vault, kept: tuple[Path, Manifest]) -> Manifest:
    """A snapshot in the vault's store, to be used and damaged."""
    folder, manifest = kept
    shutil.copytree(folder, vault.project / "store" / "snapshots")
    return manifest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--one-in", type=int, default=1, help="take one test in so many, always the same ones")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--one-in``, a fixed part of a matrix that takes too long as a whole."""
    parts = config.getoption("--one-in")
    left_out = [item for item in items if zlib.crc32(item.nodeid.encode()) % parts]
    items[:] = [item for item in items if not zlib.crc32(item.nodeid.encode()) % parts]
    config.hook.pytest_deselected(items=left_out)
