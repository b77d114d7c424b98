"""The tools that we are measured against: installed aside, run with their own playbooks."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "var" / "benchmarks"
PACKAGES = {
    "ansible": ["ansible-core", "mitogen"],
    "pyinfra": ["pyinfra"],
    "testinfra": ["pytest-testinfra"],
}


@dataclass(frozen=True)
class Peer:
    """An installed peer and where its playbooks are."""

    name: str
    venv: Path
    scripts: Path

    def command(self, name: str) -> Path:
        return self.venv / "bin" / name


@functools.cache
def peer(name: str) -> Peer | None:
    """The peer, installed on first use; None, said once, where that is not possible."""
    scripts = Path(os.environ.get("BENCHMARK_PEERS", CHECKOUT.parent / "shared" / "benchmarks"))
    venv = FOLDER / "venvs" / name
    if not scripts.is_dir():
        print(f"\n{name} is left out: no playbooks in {scripts.name}; see BENCHMARK_PEERS")
        return None
    stamp = venv / ".complete"
    try:
        if not stamp.exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True, capture_output=True)
            pip: list[str | Path] = [venv / "bin" / "pip", "install", "--quiet", *PACKAGES[name]]
            subprocess.run(pip, check=True, capture_output=True)
            stamp.touch()
    except subprocess.CalledProcessError as error:
        print(f"\n{name} is left out: it can't be installed: {error.stderr.decode()[-300:]}")
        return None
    return Peer(name, venv, scripts)


def home() -> Path:
    """A home folder without anybody's settings."""
    folder = FOLDER / "home"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ansible_variables(ansible: Peer, *, mitogen: bool = False) -> Mapping[str, str]:
    """Ansible at its best: pipelining, no interpreter discovery, no facts; or with Mitogen."""
    text = "[defaults]\ninterpreter_python = /usr/bin/python3\ngathering = explicit\nretry_files_enabled = False\n"
    if mitogen:
        plugins = next(ansible.venv.glob("lib/python3*/site-packages/ansible_mitogen/plugins/strategy"))
        text += f"strategy_plugins = {plugins}\nstrategy = mitogen_linear\n"
    file = FOLDER / ("mitogen.cfg" if mitogen else "ansible.cfg")
    file.write_text(text + "[ssh_connection]\npipelining = True\n")
    return {
        "ANSIBLE_CONFIG": str(file),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "PATH": f"{ansible.venv / 'bin'}:/usr/bin:/bin",
    }
