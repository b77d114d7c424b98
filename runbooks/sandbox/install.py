"""Makes a release's virtual environment in the sandbox: run as ``python -I install.py`` in the release's folder.

A real environment of its own, with nothing to fetch: it sees the packages that this tool's sandbox came with, and has
the console scripts of what the release requires, which run in it.

Standard library only, and no import of this package: the interpreter runs isolated.
"""

from __future__ import annotations

import re
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

SCRIPT = """#!{python}
import sys
from {module} import {attribute}
if __name__ == "__main__":  # a worker process that is spawned imports this file again
    sys.exit({attribute}())
"""


def main(release: Path) -> None:
    """Make ``.venv`` anew."""
    folder = release / ".venv"
    venv.create(folder, clear=True, symlinks=True, with_pip=False)
    packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    ours = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "sandbox.pth").write_text("".join(f"{path}\n" for path in ours))
    for line in (release / "requirements.txt").read_text().splitlines():
        if match := re.match(r"[A-Za-z0-9._-]+", line):
            write_scripts(folder / "bin", match.group())


def write_scripts(folder: Path, requirement: str) -> None:
    """The console scripts of a package."""
    for entry in metadata.distribution(requirement).entry_points:
        if entry.group == "console_scripts":
            script = folder / entry.name
            text = SCRIPT.format(python=folder / "python", module=entry.module, attribute=entry.attr)
            script.write_text(text)
            script.chmod(0o755)


if __name__ == "__main__":
    main(Path.cwd())
