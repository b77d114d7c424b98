"""The fault of a pooled endpoint: the release is to reach its database through a pooler, as ahead of a deploy."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from runbooks.engine.wait import until
from runbooks.sandbox import environments, pooler, ports
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.files import update_state
from runbooks.sandbox.world import Sandbox


def _inject(sandbox: Sandbox) -> None:
    # Ahead of its start: one that begins to listen while its port is asked for would be taken for a stranger there.
    place = (ports.LOOPBACK, pooler.port(sandbox.layout))
    update_state(sandbox.layout, pooler.NAME, LOCAL)
    sandbox.manage()

    def listens() -> bool:
        with socket.create_connection(place, timeout=1):
            return True

    until(listens, seconds=20, what="the pooler does not listen", ignoring=(OSError,))
    url = urlsplit(environments.database_url(sandbox.layout, LOCAL, sandbox.numbers()))
    credentials, at, _ = url.netloc.rpartition("@")
    pooled = url._replace(netloc=f"{credentials}{at}{place[0]}:{place[1]}")
    sandbox.set_variable(LOCAL, "DATABASE_URL", pooled.geturl())


def _mend(sandbox: Sandbox) -> None:
    sandbox.forget_variable(LOCAL, "DATABASE_URL")
    update_state(sandbox.layout, pooler.NAME, None)
    sandbox.manage()


in_front = Means(_inject, _mend, restarts=False)
