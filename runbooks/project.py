"""The folder that holds ``inventory/`` and ``var/``."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "RUNBOOKS_PROJECT"


def root() -> Path:
    """The checkout, unless the variable RUNBOOKS_PROJECT names another folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).resolve() if named else Path(__file__).resolve().parent.parent
