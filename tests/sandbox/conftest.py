from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks.sandbox import postgres_install
from runbooks.sandbox.layout import Layout
from tests.sandbox.servers import fresh_layout


@pytest.fixture(scope="session")
def installed() -> Iterator[Layout]:
    """A layout with PostgreSQL unpacked, to be linked from; takes some 3 s."""
    with fresh_layout() as layout:
        postgres_install.install(layout)
        yield layout


@pytest.fixture
def layout() -> Iterator[Layout]:
    """An empty sandbox; whatever runs in it is ended afterwards."""
    with fresh_layout() as layout:
        yield layout
