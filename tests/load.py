"""An open loop of requests at an environment's public address, while something else is done to it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.steps.load import Rehearsal
from runbooks.systems.load.generator import Measured, generate
from tests.conftest import Shell


@contextlib.contextmanager
def under_load(shell: Shell, *, rate: float, seconds: float) -> Iterator[Callable[[], Measured]]:
    """Requests arrive at this rate over kept connections during the block, which must end before they do.

    What is given waits for the last of them and says what came of them.
    """
    site = Site(load(shell.project / "inventory", "local"), Redactor(), shell.environment())
    order = replace(Rehearsal(site, rate, seconds / 60).order, paths=("/health",), timeout=30)
    site.close()
    stopping = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asking = pool.submit(generate, order, stopping)

        def measured() -> Measured:
            assert not asking.done(), "the load ended before what was to be seen under it"
            return asking.result()

        try:
            yield measured
        except BaseException:
            stopping.set()
            raise
