"""A Secrets Manager to ask: moto's server in a process of its own kind, on a port that the system gives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runbooks.engine.secret import Secret
from runbooks.systems.secrets.secrets_manager import SecretsManager


@contextlib.contextmanager
def running() -> Iterator[SecretsManager]:
    """Where it listens, and who may ask it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield SecretsManager(
            region="eu-central-1",
            endpoint=f"http://{host}:{port}",
            access_key=Secret("ACCESS", "testing-access-key"),
            secret_key=Secret("SECRET", "testing-secret-key"),
        )
    finally:
        server.stop()
