"""Clients that query all the time and connect again whenever they are cut off, as an application's pool does.

As a program, so that they share no interpreter with what they wait for: ``python -m tests.reconnecting COUNT URL`` says
``ready`` once each has had an answer. When its standard input ends, it writes how long each was without an answer at
most, in seconds, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

BETWEEN_QUERIES, BEFORE_THE_NEXT_TRY = 0.005, 0.02
"""Seconds."""


@dataclass
class Client:
    """One of them; it keeps what it saw and for how long it saw nothing. Nothing is prepared, as poolers ask for."""

    url: str
    stop: threading.Event
    seen: list[int] = field(default_factory=list)
    longest: float = 0.0
    answered: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        last = time.monotonic()
        while not self.stop.is_set():
            with (
                contextlib.suppress(psycopg.Error),
                psycopg.connect(self.url, autocommit=True, prepare_threshold=None) as connection,
            ):
                while not self.stop.is_set():
                    row = connection.execute("SELECT count(*) FROM note").fetchone()
                    assert row
                    now = time.monotonic()
                    if self.answered.is_set():
                        self.longest = max(self.longest, now - last)
                    last = now
                    self.seen.append(row[0])
                    self.answered.set()
                    self.stop.wait(BETWEEN_QUERIES)
            self.stop.wait(BEFORE_THE_NEXT_TRY)


@contextlib.contextmanager
def clients(url: str, count: int) -> Iterator[list[Client]]:
    """So many are at work, each of which has had an answer."""
    stop = threading.Event()
    made = [Client(url, stop) for _ in range(count)]
    threads = [threading.Thread(target=client.run) for client in made]
    for thread in threads:
        thread.start()
    try:
        for client in made:
            assert client.answered.wait(60), "no answer"
        yield made
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main(count: int, url: str) -> None:
    with clients(url, count) as made:
        print("ready", flush=True)
        sys.stdin.read()
    print(json.dumps([client.longest for client in made]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
