"""The sandbox's timer: looks at an environment for its watch's ledger, as an operator's cron or systemd timer would.

Between two looks it holds nothing but the interpreter. Each look is a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the timer itself waits all day, and holds as little as it can
    from runbooks.sandbox.program import Program

EVERY_SECONDS = 20 * 60.0
"""An hour without a sample is a gap; a machine that was asleep for a while still keeps to that."""

NOW = "now"


def arguments(environment: str) -> list[str]:
    """What the interpreter is called with for an environment's timer."""
    return ["-m", "runbooks.sandbox.timer", environment]


def program(folder: Path) -> Program:
    """The timer of the environment that is verified, for the process manager.

    Args:
        folder: The project's.
    """
    from runbooks import project
    from runbooks.sandbox.program import INTERPRETER, Program

    argv = [str(INTERPRETER), *arguments("local")]
    variables = {project.VARIABLE: str(folder)}
    return Program(name="timer", argv=argv, environment=variables, directory=Path("/"), priority=90)


def main(environment: str, *, pause: float = EVERY_SECONDS) -> None:
    """Look at the environment again and again; a look that fails is its own ledger's or log's business."""
    while True:
        time.sleep(pause)
        subprocess.run(
            [sys.executable, *arguments(environment), NOW], stdin=subprocess.DEVNULL, check=False, cwd=Path("/")
        )


def look(environment: str) -> int:
    """One look; the exit code of ``release.watch --once``."""
    from runbooks.engine.errors import RunbookError
    from runbooks.watch import sample_once

    try:
        return sample_once(environment)
    except RunbookError as error:
        print(error)
        return error.exit_code


if __name__ == "__main__":
    if NOW in sys.argv[2:]:
        sys.exit(look(sys.argv[1]))
    main(sys.argv[1])
