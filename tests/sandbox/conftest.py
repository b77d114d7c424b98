from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks.sandbox.layout import Layout
from tests.sandbox.servers import fresh_layout


@pytest.fixture
def layout() -> Iterator[Layout]:
    """An empty sandbox; whatever runs in it is ended afterwards."""
    with fresh_layout() as layout:
        yield layout
