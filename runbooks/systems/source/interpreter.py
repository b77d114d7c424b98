"""The release's own code, run in its own interpreter with the variables that it is given and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.lint.revisions import Told, argv, parse

PROBE = Path(__file__).with_name("driver_probe.py")
SETTINGS = "from app.core.config import settings"


@dataclass(frozen=True)
class Interpreter:
    """A Python that has a release's dependencies, in that release's folder.

    Attributes:
        folder: The root of the checkout.
        python: The interpreter; None if there is none here.
    """

    folder: Path
    python: Path | None

    def settings_problem(self, variables: Mapping[str, Secret], seconds: float) -> str | None:
        """Load the release's settings with these variables; None if they load.

        Raises:
            SystemFault: no interpreter is declared, it can't be started, or it hangs.
        """
        done = self._run(["-c", SETTINGS], variables, seconds, "loading the settings")
        return None if done.returncode == 0 else _said(done)

    def ask_database(self, engine: str, variables: Mapping[str, Secret], seconds: float) -> Mapping[str, Any]:
        """Two queries through the release's own engine, and so through its own driver and its own reading of the URL.

        Args:
            engine: MODULE:NAME.

        Returns:
            ``ok`` and what answered (``database``, ``driver``), or else ``stage`` (``import`` or ``query``), ``kind``
            (the exception's class) and ``error``.

        Raises:
            SystemFault: as `settings_problem`, or it ends without an answer.
        """
        done = self._run([str(PROBE), engine], variables, seconds, "asking through the release's own engine")
        try:
            answer = json.loads(done.stdout.splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise SystemFault(
                "the release's own engine gave no answer",
                reason=Reason.BAD_ANSWER,
                where=str(self.folder),
                found=_said(done),
                mend="see release.python and release.engine",
            ) from error
        return dict(answer)

    def migrate(self, url: Secret, variables: Mapping[str, Secret], seconds: float) -> str | None:
        """Run the release's migrations on another database; what went wrong, or None.

        Whatever could lead them to the application's own database is left out of their variables.

        Raises:
            SystemFault: as `settings_problem`.
        """
        kept = {name: secret for name, secret in variables.items() if not _leads_to_a_database(name, secret)}
        aside = {name: Secret(name, url.reveal()) for name in ("DATABASE_URL", "DATABASE_URL_SYNC")}
        done = self._run(["-m", "alembic", "upgrade", "head"], {**kept, **aside}, seconds, "migrating")
        return None if done.returncode == 0 else _said(done)

    def revisions(self, variables: Mapping[str, Secret], seconds: float) -> Told:
        """What each of the release's migrations would run on an empty database, as SQL; none is run.

        Raises:
            SystemFault: as `settings_problem`, or it does not tell.
        """
        _, *arguments = argv(())
        done = self._run(arguments, variables, seconds, "telling the migrations' SQL")
        if done.returncode != 0:
            raise SystemFault(
                "the release does not tell what its migrations would run",
                reason=Reason.BAD_ANSWER,
                where=str(self.folder),
                found=_said(done),
                mend="in the release's folder: alembic upgrade head --sql",
            )
        return parse(done.stdout.decode(errors="replace"))

    def _run(
        self, arguments: Sequence[str], variables: Mapping[str, Secret], seconds: float, what: str
    ) -> subprocess.CompletedProcess[bytes]:
        if self.python is None:
            raise SystemFault(
                "the release's code can't be run here",
                reason=Reason.UNREACHABLE,
                mend="declare release.python: an interpreter with the release's dependencies",
            )
        # PRAVIEL's own checkout has the package a folder deeper.
        path = os.pathsep.join(str(folder) for folder in (self.folder, self.folder / "backend") if folder.is_dir())
        given = {name: secret.reveal() for name, secret in variables.items()}
        try:
            return subprocess.run(
                [str(self.python), "-B", *arguments],
                cwd=self.folder,
                env={"PATH": os.defpath, "PYTHONPATH": path, **given},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SystemFault(f"{what} hangs", reason=Reason.TIMED_OUT, where=str(self.folder)) from error
        except OSError as error:
            raise SystemFault(
                "the interpreter can't be started",
                reason=Reason.UNREACHABLE,
                where=str(self.python),
                found=error.strerror or "",
                mend="see release.python and release.source",
            ) from error


def _leads_to_a_database(name: str, secret: Secret) -> bool:
    return name.startswith(("PG", "DETECTED_DB")) or secret.reveal().startswith("postgres")


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What a person needs of an error output: the exception, not the way to it."""
    text = (done.stderr or done.stdout).decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(" " * 4)]
    return " ".join(lines[-4:])[-600:] or f"exit status {done.returncode}"
