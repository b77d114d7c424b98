"""Every fault that can be injected; each check has at least one.

A module here gives a tuple ``FAULTS``; nothing has to be registered.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from runbooks.sandbox.faults.fault import Fault


def _gathered() -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        for fault in importlib.import_module(f"{__name__}.{module.name}").FAULTS:
            assert found.setdefault(fault.name, fault) is fault, f"two faults are called {fault.name}"
    return found


FAULTS: Mapping[str, Fault] = _gathered()
