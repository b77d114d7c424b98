from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import peers

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="session")
def home() -> Path:
    return peers.home()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[int]:
    """The port of an HTTP server with a process of its own."""
    process = subprocess.Popen(
        [sys.executable, PROGRAMS / "endpoint.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        yield int(process.stdout.readline())
        process.stdin.close()
        process.wait(timeout=10)
