"""The stand-in for the providers that can't run here, under the process manager."""

from __future__ import annotations

from runbooks.engine.errors import SystemFault
from runbooks.engine.wait import until
from runbooks.sandbox.files import private_folder
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.ports import LOOPBACK
from runbooks.sandbox.program import INTERPRETER, Program
from runbooks.sandbox.provider_accounts import write_accounts
from runbooks.systems.http.client import HttpClient


def prepare(layout: Layout, port: int) -> Program:
    """Write the accounts that it knows; what is to be run. Safe to repeat."""
    private_folder(layout.provider)
    write_accounts(layout)
    package = __package__.partition(".")[0]
    argv = [
        str(INTERPRETER),
        "-m",
        f"{package}.sandbox.provider",
        "--port",
        str(port),
        "--state",
        str(layout.provider),
    ]
    return Program(
        name="provider",
        argv=argv,
        environment={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        directory=layout.provider,
        priority=30,
    )


def ready(port: int, *, seconds: float = 20) -> None:
    """Return once it answers.

    Raises:
        SystemFault: TIMED_OUT.
    """
    until(lambda: answers(port), seconds=seconds, what="the provider's stand-in does not answer")


def answers(port: int) -> bool:
    """Whether it refuses a request without a key, as the real one does."""
    try:
        with HttpClient(f"http://{LOOPBACK}:{port}", seconds=2) as provider:
            return provider.get("/openai/v1/models").status in (200, 401)
    except SystemFault:
        return False
