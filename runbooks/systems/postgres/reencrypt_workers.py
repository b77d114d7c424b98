"""Encrypts all batches of a side table with several processes at once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import libpq_url
from runbooks.systems.postgres.reencrypt import encrypt_batch
from runbooks.systems.postgres.side_table import SideTable
from runbooks.systems.secrets.fernet import Keys

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH")
"""Of this process's environment, beside what libpq reads; the rest may hold secrets that a worker has no use for."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be encrypted, and how.

    Attributes:
        jobs: Processes at once. With one, or one batch, it is done in this process.
        rows: In a batch.
    """

    access: Access
    side: SideTable
    keys: Keys
    jobs: int
    rows: int = 20_000


def encrypt_all(
    work: Work, stopping: threading.Event, on_batch: Callable[[int, int], None] = lambda _done, _all: None
) -> Sequence[int]:
    """Encrypt every batch that is not done. The side table must be there.

    Args:
        stopping: Set when the operator asks to stop: it then ends after the batches in hand.
        on_batch: Told after each how many of how many are done.

    Returns:
        The ids of rows that neither key opens.

    Raises:
        SystemFault: the database or a worker failed, or the operator asked to stop. What is done stays done.
    """
    with work.access.connection() as connection:
        left = work.side.plan_batches(connection, work.rows)
        if min(work.jobs, len(left)) < 2:
            return _here(left, stopping, on_batch, lambda high: encrypt_batch(connection, work.side, high, work.keys))
    return _beside(work, left, stopping, on_batch)


def _here(
    left: Sequence[int],
    stopping: threading.Event,
    on_batch: Callable[[int, int], None],
    encrypt: Callable[[int], Sequence[int]],
) -> list[int]:
    strange: list[int] = []
    for number, high in enumerate(left, 1):
        _refuse_if(stopping)
        strange += encrypt(high)
        on_batch(number, len(left))
    return strange


def _beside(
    work: Work, left: Sequence[int], stopping: threading.Event, on_batch: Callable[[int, int], None]
) -> list[int]:
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for high in left:
        waiting.put(high)
    strange: list[int] = []
    counting, done = threading.Lock(), 0
    failed = threading.Event()

    def drive() -> None:
        nonlocal done
        with _worker(work) as ask:
            while not failed.is_set():
                try:
                    high = waiting.get_nowait()
                except queue.Empty:
                    return
                _refuse_if(stopping)
                found = ask(high)
                with counting:
                    done += 1
                    strange.extend(found)
                    on_batch(done, len(left))

    def guarded() -> None:
        try:
            drive()
        except BaseException:
            failed.set()
            raise

    count = min(work.jobs, len(left))
    with concurrent.futures.ThreadPoolExecutor(count, thread_name_prefix="reencrypt") as pool:
        for future in [pool.submit(guarded) for _ in range(count)]:
            future.result()
    return sorted(strange)


@contextlib.contextmanager
def _worker(work: Work) -> Iterator[Callable[[int], Sequence[int]]]:
    """A process that is asked for one batch at a time."""
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("PG")}
    with subprocess.Popen(
        [sys.executable, "-m", "runbooks.systems.postgres.reencrypt_worker"],
        env=kept,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            told = {
                "url": _whole_url(work.access),
                "connect_seconds": work.access.connect_seconds,
                "reach": work.access.reach,
                "column": asdict(work.side.column),
                "run": work.side.run,
                "old": work.keys.old.reveal(),
                "new": work.keys.new.reveal(),
                "older": [each.reveal() for each in work.keys.older],
            }
            _tell(process, told)
            yield lambda high: _asked(process, high)
        finally:
            if process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.close()  # it ends by that, after the batch in hand


def _asked(process: subprocess.Popen[str], high: int) -> Sequence[int]:
    _tell(process, high)
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        status = process.wait()
        raise SystemFault(
            "a process that encrypts rows has ended too early",
            reason=Reason.FAILED,
            found=f"exit status {status}" if status >= 0 else f"killed by signal {-status}",
            mend="resume the run; if it ends again, see the machine's memory",
        )
    answer: dict[str, Any] = json.loads(line)
    if "what" in answer:
        raise SystemFault(
            answer["what"], reason=Reason.FAILED, where=answer["where"], found=answer["found"], mend=answer["mend"]
        )
    return [int(id) for id in answer["strange"]]


def _tell(process: subprocess.Popen[str], what: object) -> None:
    assert process.stdin
    with contextlib.suppress(BrokenPipeError):  # that it has ended is seen when its answer is read
        process.stdin.write(json.dumps(what) + "\n")
        process.stdin.flush()


def _whole_url(access: Access) -> str:
    """The URL with the authority's file in it, so that one text says all."""
    from psycopg.conninfo import make_conninfo

    file = str(access.ca_file) if access.ca_file else None
    return make_conninfo(libpq_url(access.url.reveal()), sslrootcert=file)


def _refuse_if(stopping: threading.Event) -> None:
    if stopping.is_set():
        raise SystemFault("stopped between two batches", reason=Reason.FAILED)
