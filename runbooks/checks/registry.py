"""Finds the checks: every `Check` that a module of this package defines, so that adding one is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType

import runbooks.checks
from runbooks.checks.declare import SiteCheck
from runbooks.checks.items import ITEMS
from runbooks.engine.check import Check
from runbooks.engine.errors import InputError

_ORDER = {item.id: item.number for item in ITEMS}


def _loaded(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{runbooks.checks.__name__}.{name}")
    except SyntaxError as error:
        raise InputError(
            "a file of checks can't be read",
            where=f"{error.filename}:{error.lineno}",
            found=error.msg,
            mend="correct it",
        ) from error


@cache
def known() -> Mapping[str, SiteCheck]:
    """All checks by id, in the document's order, those without a number last."""
    found: dict[str, SiteCheck] = {}
    for module in pkgutil.iter_modules(runbooks.checks.__path__):
        for value in vars(_loaded(module.name)).values():
            if isinstance(value, Check):
                assert found.setdefault(value.id, value) is value, f"two checks are called {value.id}"
    return dict(sorted(found.items(), key=lambda pair: (_ORDER.get(pair[0], len(ITEMS) + 1), pair[0])))
