"""Reads a release's checkout without running it: its files, its migrations, and how it is started."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault

LARGEST_TEXT = 1024 * 1024
"""Bytes; larger files are data, not source."""

SKIPPED = {".git", "__pycache__", "node_modules", ".venv"}


@dataclass(frozen=True)
class Checkout:
    """A release's source on this machine.

    Attributes:
        folder: The root of the checkout.
    """

    folder: Path

    def find(self, text: str) -> str | None:
        """``file:line`` of the first text file that holds this text, or None.

        Raises:
            SystemFault: there is no checkout, or a file in it can't be read.
        """
        for path in self._files():
            content = self._read(path)
            if text in content:
                line = content[: content.index(text)].count("\n") + 1
                return f"{path.relative_to(self.folder)}:{line}"
        return None

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Path below the root, and content, of every file that is not larger than 1 MiB.

        Raises:
            SystemFault: there is no checkout, or a file in it can't be read.
        """
        for path in self._files():
            try:
                yield path.relative_to(self.folder).as_posix(), path.read_bytes()
            except OSError as error:
                raise _fault("a file of the release can't be read", path, error.strerror or "") from error

    def text(self, path: str) -> str | None:
        """A file by its path below the root; None if it is not there.

        Raises:
            SystemFault: there is no checkout, or the file can't be read.
        """
        if not self.folder.is_dir():
            raise _fault("there is no checkout of the release", self.folder, "no such folder")
        file = self.folder / path
        return self._read(file) if file.is_file() else None

    def migration_heads(self) -> list[str]:
        """The revisions that no other one follows; a sound release has one.

        Read from the syntax of Alembic's revision files, which are not run.

        Raises:
            SystemFault: there are no revision files, or one can't be parsed.
        """
        followed = [each for _, below in self._revisions() for each in below]
        return sorted(self.revisions() - set(followed))

    def revisions(self) -> set[str]:
        """Every migration that the release knows. Raises SystemFault as `migration_heads`."""
        return {revision for revision, _ in self._revisions() if revision}

    def _revisions(self) -> Iterator[tuple[str, list[str]]]:
        """Each revision file: its revision, and those that it follows."""
        for path in self._revision_files():
            names = _assigned(path, self._read(path))
            revision, below = names.get("revision"), names.get("down_revision")
            yield (revision if isinstance(revision, str) else "", [below] if isinstance(below, str) else below or [])

    def start_command(self) -> str:
        """What Railway's configuration file starts the application with.

        Raises:
            SystemFault: there is no such file, or it names no command.
        """
        path = self.folder / "railway.json"
        try:
            command = json.loads(self._read(path))["deploy"]["startCommand"]
        except (ValueError, KeyError, TypeError) as error:
            raise _fault("the start command can't be read", path, f"no deploy.startCommand ({error!r})") from error
        return str(command)

    def _files(self) -> Iterator[Path]:
        if not self.folder.is_dir():
            raise _fault("there is no checkout of the release", self.folder, "no such folder")
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(set(folders) - SKIPPED)
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file() and path.stat().st_size <= LARGEST_TEXT:
                    yield path

    def _revision_files(self) -> list[Path]:
        for candidate in ("migrations/versions", "backend/migrations/versions"):
            files = sorted((self.folder / candidate).glob("*.py"))
            if files:
                return files
        raise _fault("the release's migrations can't be found", self.folder, "no migrations/versions/*.py")

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(errors="replace")
        except OSError as error:
            raise _fault("a file of the release can't be read", path, error.strerror or "") from error


def _assigned(path: Path, source: str) -> dict[str, str | list[str] | None]:
    """The module's top-level names that are set to a literal."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise _fault("a migration can't be parsed", path, f"line {error.lineno}: {error.msg}") from error
    found: dict[str, str | list[str] | None] = {}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant | ast.Tuple | ast.List):
                literal = ast.literal_eval(value)
                found[target.id] = list(literal) if isinstance(literal, tuple | list) else literal
    return found


def _fault(what: str, path: Path, found: str) -> SystemFault:
    return SystemFault(what, reason=Reason.UNREACHABLE, where=str(path), found=found, mend="see release.source")
