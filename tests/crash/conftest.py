from __future__ import annotations

from tests.sandbox.conftest import installed

__all__ = ["installed"]
