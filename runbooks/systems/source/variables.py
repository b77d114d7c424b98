"""Which environment variables a release reads, told from its source without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.source.checkout import Checkout

SETTINGS_FILES = ("app/core/config.py", "backend/app/core/config.py")
SETTINGS_CLASS = "Settings"

READ = re.compile(r"""(?:environ(?:\.get\(|\.pop\(|\[)|getenv\()\s*["']([A-Z][A-Z0-9_]*)["']""")
"""How Python reads a variable."""

EXPANDED = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)")
"""How a shell does, in a start command."""


@dataclass(frozen=True)
class Variables:
    """What a release reads.

    Attributes:
        settings: The fields of its settings class; True for one without a default.
        elsewhere: What is read outside of it, and where.
    """

    settings: Mapping[str, bool]
    elsewhere: Mapping[str, str]

    @property
    def required(self) -> list[str]:
        """Settings that have no default."""
        return sorted(name for name, required in self.settings.items() if required)


def read_by(checkout: Checkout) -> Variables:
    """What the release reads, apart from its tests.

    Raises:
        SystemFault: there is no settings class, or a file can't be read.
    """
    settings = _settings(checkout)
    elsewhere: dict[str, str] = {}
    for path, content in checkout.contents():
        if path.endswith(".py") and not path.startswith("tests/") and "/tests/" not in path:
            for name in READ.findall(content.decode(errors="replace")):
                elsewhere.setdefault(name, path)
    for name in EXPANDED.findall(checkout.start_command()):
        elsewhere.setdefault(name, "the start command")
    return Variables(settings, {name: place for name, place in elsewhere.items() if name not in settings})


def _settings(checkout: Checkout) -> dict[str, bool]:
    for path in SETTINGS_FILES:
        text = checkout.text(path)
        if text is not None:
            return dict(_fields(text, path))
    raise SystemFault(
        "the release's settings class can't be found",
        reason=Reason.UNREACHABLE,
        where=str(checkout.folder),
        found=f"no {SETTINGS_FILES[0]}",
        mend="see release.source",
    )


def _fields(text: str, path: str) -> Iterator[tuple[str, bool]]:
    """Annotated names of the class, and whether nothing is assigned to them."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SystemFault(
            "the release's settings can't be parsed",
            reason=Reason.BAD_ANSWER,
            where=f"{path}:{error.lineno}",
            found=error.msg,
        ) from error
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == SETTINGS_CLASS:
            for field in node.body:
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and field.target.id.isupper()
                ):
                    yield field.target.id, _without_default(field.value)


def _without_default(value: ast.expr | None) -> bool:
    """``Field(...)`` and ``Field(description=…)`` have none either."""
    if not isinstance(value, ast.Call):
        return value is None
    given = [*value.args[:1], *(word.value for word in value.keywords if word.arg in ("default", "default_factory"))]
    return not given or (isinstance(given[0], ast.Constant) and given[0].value is Ellipsis)
