from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from runbooks.engine.step import Scope
from runbooks.steps import progress
from runbooks.steps.progress import Progress, told, watched


def scope(shown: Callable[[str], object]) -> Scope:
    return Scope(
        run="r",
        before={},
        seconds=60,
        stopping=threading.Event(),
        say=lambda _text: None,
        record=lambda _kind, **_data: None,
        progress=shown,
    )


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (1_200_000_000, 3_400_000_000, 10, "1.2 GB of 3.4 GB, 120.0 MB/s, 18 s left"),
        (1_000_000, 400_000_000, 1, "1.0 MB of 400.0 MB, 1.0 MB/s, 6 min 39 s left"),
        (1_000, 36_000_000, 1, "1.0 kB of 36.0 MB, 1.0 kB/s, 9 h 59 min left"),
        (5_000, None, 2, "5.0 kB, 2.5 kB/s"),
        (5_000, 4_000, 2, "5.0 kB, 2.5 kB/s"),
        (0, 4_000, 0, "0 B of 4.0 kB, 0 B/s"),
    ],
)
def test_bytes_rate_and_time_left_are_told(done: int, total: int | None, seconds: float, words: str) -> None:
    assert told(done, total, seconds) == words


def test_every_byte_counts_and_few_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    seconds = iter([0.0, *(number / 10 for number in range(1, 100))])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    counting = Progress(scope(shown.append), 2000)

    for _ in range(20):
        counting.add(100)

    assert len(shown) == 4
    assert shown[0] == "500 B of 2.0 kB, 1.0 kB/s, 1 s left"
    assert shown[-1] == "2.0 kB of 2.0 kB, 1.0 kB/s, 0 s left"


def test_what_can_not_be_asked_any_more_does_not_end_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "POLL", 0.01)
    asked = threading.Event()

    def measure() -> int:
        asked.set()
        raise OSError("gone")

    with watched(scope(lambda _text: None), 10, measure):
        assert asked.wait(10)
