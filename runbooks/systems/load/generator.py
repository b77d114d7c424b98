"""Starts the load generator, waits for it, and says what it measured."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.percentile import percentile

DRIVER = Path(__file__).with_name("drive.py")
SECONDS_TO_START = 30.0
POLL = 0.1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What load is wanted: requests arrive at a constant rate, whatever the server does.

    Attributes:
        url: The server's address.
        paths: Asked for in turn.
        rate: Requests per second.
        seconds: For how long they arrive.
        timeout: After how many seconds one counts as unanswered.
        ca_file: The authority to trust instead of the usual ones.
        addresses: Where names are reached that this machine's own resolvers may not know.
    """

    url: str
    paths: Sequence[str]
    rate: float
    seconds: float
    timeout: float = 10.0
    ca_file: Path | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As the driver reads it."""
        fields = {"url": self.url, "paths": list(self.paths), "rate": self.rate, "seconds": self.seconds}
        ca_file = str(self.ca_file) if self.ca_file else None
        more = {"timeout": self.timeout, "ca_file": ca_file, "addresses": dict(self.addresses)}
        return json.dumps({**fields, **more})

    @property
    def requests(self) -> int:
        """How many that are."""
        return max(1, int(self.seconds * self.rate))


@dataclass(frozen=True)
class Measured:
    """What came of it.

    Attributes:
        latencies_ms: From when each request was due to the end of its answer.
        lags_ms: How much later than due this machine sent each.
        failures: Answers other than HTTP 200, and requests without one, counted by kind.
    """

    latencies_ms: Sequence[float]
    lags_ms: Sequence[float]
    failures: Mapping[str, int]

    def latency(self, share: float) -> float:
        """A percentile in milliseconds."""
        return percentile(self.latencies_ms, share)

    @property
    def lag_ms(self) -> float:
        """How late 99 of 100 requests were sent at most: much of it means that this machine is too slow."""
        return percentile(self.lags_ms, 99)

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def error_percent(self) -> float:
        return self.failed / len(self.latencies_ms) * 100


def require_installed() -> None:
    """Raises InputError if this installation has no load generator."""
    if importlib.util.find_spec("locust") is None:
        raise InputError(
            "release.load needs the package locust, which is not installed",
            mend="pip install -c constraints.txt -e '.[load]'",
        )


def generate(order: Order, stopping: threading.Event) -> Measured:
    """Put the load on the server, and wait for all answers. Ends early, and at once, when asked to stop.

    Raises:
        SystemFault: it was stopped, did not come to its end, or measured nothing.
    """
    argv = [sys.executable, "-I", str(DRIVER)]
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"LC_ALL": "C.UTF-8"},
    ) as process:
        try:
            out, error = _talk(process, order, stopping)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise SystemFault(
            "the load generator failed", reason=Reason.FAILED, where=order.url, found=error.strip()[-500:]
        )
    return measured(json.loads(out), order)


def measured(told: Mapping[str, Any], order: Order) -> Measured:
    """What the driver printed; a request that it never finished is a failure.

    Raises:
        SystemFault: nothing was sent.
    """
    latencies = list(told["latencies_ms"])
    if not latencies:
        raise SystemFault("no request could be sent", reason=Reason.UNREACHABLE, where=order.url)
    failures = dict(told["failures"])
    missing = order.requests - len(latencies)
    if missing > 0:
        failures["no answer"] = failures.get("no answer", 0) + missing
        latencies += [order.timeout * 1000] * missing
    return Measured(latencies, told["lags_ms"], failures)


def _talk(process: subprocess.Popen[str], order: Order, stopping: threading.Event) -> tuple[str, str]:
    text: str | None = order.text()
    left = order.seconds + order.timeout + SECONDS_TO_START
    while True:
        try:
            return process.communicate(text, timeout=POLL)
        except subprocess.TimeoutExpired as error:
            text = None
            left -= POLL
            if stopping.is_set():
                raise SystemFault("the load was stopped", reason=Reason.FAILED, where=order.url) from error
            if left <= 0:
                raise SystemFault("the load generator did not end", reason=Reason.TIMED_OUT, where=order.url) from error
