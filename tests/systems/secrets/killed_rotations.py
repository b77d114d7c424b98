"""Rotates a secret in a dotenv file and is killed ahead of each effect on the disk, one rotation per effect.

Called with a folder; prints a JSON line per kill: the labels that were found after it, and those after going on. Each
rotation is a fork of this process, so that an interpreter is started once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runbooks.engine.secret import Secret
from runbooks.systems.secrets.dotenv_versions import DotenvVersions
from runbooks.systems.secrets.versions import SecretVersions

NAME, RUN = "JWT_SECRET_KEY", "run-1"
EFFECTS = {"open", "os.rename", "os.mkdir", "os.chmod", "os.remove"}


def forward(versions: SecretVersions) -> None:
    versions.put_pending({NAME: Secret(NAME, "the-new-value")}, RUN)
    versions.promote([NAME], RUN)
    versions.retire([NAME], RUN)


def back(versions: SecretVersions) -> None:
    versions.put_pending({NAME: Secret(NAME, "the-new-value")}, RUN)
    versions.promote([NAME], RUN)
    versions.demote([NAME], RUN)
    versions.discard([NAME], RUN)


def found(path: Path) -> dict[str, str]:
    versions = DotenvVersions(path).read(NAME)
    return {label: version.value.reveal() for label, version in versions.labelled().items()}


def killed_ahead_of(number: int, act: Callable[[], None]) -> bool:
    """Whether the effect with this number was reached, in a fork that then was killed."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    seen = 0

    def hook(event: str, _arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in EFFECTS:
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        act()
    finally:
        os._exit(0)


def main(folder: Path) -> None:
    for name, act in {"forward": forward, "back": back}.items():
        number = 0
        while True:
            number += 1
            path = folder / f"{name}-{number}.env"
            path.touch(mode=0o600)
            path.write_text(f"# keys\n{NAME}='the-old-value'\n", encoding="utf-8")
            versions = SecretVersions(DotenvVersions(path))
            if not killed_ahead_of(number, lambda act=act, versions=versions: act(versions)):  # type: ignore[misc]
                break
            after_kill = found(path)
            act(versions)
            print(json.dumps({"way": name, "killed": after_kill, "ended": found(path)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
