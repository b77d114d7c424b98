"""A program of its own: puts an open-loop load on a server with Locust, and prints what it measured as JSON.

Locust's users are a closed model: each waits for its answer before it asks again, so a server that stalls is asked
less, and the stall hardly shows (coordinated omission). Here there are as many users as requests fall into one time
limit, each has a slot of its own and asks once in that time. As no request outlives its limit, every slot's user is
free again when its turn comes: requests arrive at a constant rate whatever the server does. Time is measured from the
moment at which a request was due.

It imports nothing of this project: Locust replaces parts of the standard library when it is loaded. It reads JSON on
standard input: url, paths, rate (per second), seconds, timeout (seconds), ca_file or null, addresses (by name).
"""

from __future__ import annotations

import locust  # isort: skip

import json
import math
import os
import ssl
import sys
import time
from collections import Counter
from typing import Any

import gevent
import gevent.socket
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, constant, task
from locust.env import Environment

PARENT_ASKED_EVERY = 0.5
"""Seconds. A load must not go on when nobody is left to stop it."""


def drive(order: dict[str, Any]) -> dict[str, Any]:
    """Send what the order says; each request's due time is its number divided by the rate."""
    rate, timeout = float(order["rate"]), float(order["timeout"])
    total = max(1, math.floor(float(order["seconds"]) * rate))
    users = min(total, math.ceil(rate * timeout) + 1)
    resolve_by(order["addresses"])
    latencies: list[float] = []
    lags: list[float] = []
    failures: Counter[str] = Counter()
    numbers = iter(range(users))
    began = time.perf_counter() + 0.1 + users / 2000  # once every user stands ready

    class Visitor(FastHttpUser):
        host = order["url"]
        wait_time = constant(0)
        network_timeout = connection_timeout = timeout
        insecure = False
        max_retries = 0
        max_redirects = 0
        client_pool = HTTPClientPool(
            concurrency=users + 1,
            network_timeout=timeout,
            connection_timeout=timeout,
            ssl_context_factory=lambda: ssl.create_default_context(cafile=order["ca_file"]),
        )

        def on_start(self) -> None:
            self.number = next(numbers)

        @task
        def ask(self) -> None:
            if self.number >= total:
                raise locust.exception.StopUser
            due = began + self.number / rate
            gevent.sleep(max(due - time.perf_counter(), 0))
            lags.append(time.perf_counter() - due)
            path = order["paths"][self.number % len(order["paths"])]
            with self.client.get(path, name=path, catch_response=True, allow_redirects=False) as answer:
                latencies.append(round((time.perf_counter() - due) * 1000, 2))
                if answer.status_code != 200:
                    failures[f"HTTP {answer.status_code}" if answer.status_code else type(answer.error).__name__] += 1
                answer.success()
            self.number += users

    environment = Environment(user_classes=[Visitor])
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.spawn(end_with_parent, os.getppid())
    last = began + (total - 1) / rate
    while len(latencies) < total and time.perf_counter() < last + timeout + 2:
        gevent.sleep(0.02)
    runner.quit()
    return {"latencies_ms": latencies, "lags_ms": [round(lag * 1000, 2) for lag in lags], "failures": dict(failures)}


def resolve_by(addresses: dict[str, str]) -> None:
    """Reach these names at these addresses, as the environment's own name servers say."""
    usual = gevent.socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return usual(addresses.get(host, host), *rest, **more)

    gevent.socket.getaddrinfo = resolve


def end_with_parent(parent: int) -> None:
    """Stop at once when the process that started this one is gone."""
    while os.getppid() == parent:
        gevent.sleep(PARENT_ASKED_EVERY)
    os._exit(1)


if __name__ == "__main__":
    json.dump(drive(json.load(sys.stdin)), sys.stdout)
