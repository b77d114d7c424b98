"""The sandbox's name server, under the process manager."""

from __future__ import annotations

from runbooks.engine.wait import until
from runbooks.sandbox import names, ports, zone
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.ports import LOOPBACK
from runbooks.sandbox.program import INTERPRETER, Program


def prepare(layout: Layout, port: int) -> Program:
    """Write the zone; what is to be run. Safe to repeat."""
    zone.write(layout)
    package = __package__.partition(".")[0]
    return Program(
        name=ports.DNS,
        argv=[
            str(INTERPRETER),
            "-m",
            f"{package}.sandbox.dns",
            "--port",
            str(port),
            "--zone",
            str(layout.zone),
        ],
        environment={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        directory=layout.dns,
        priority=30,
    )


def ready(port: int, *, seconds: float = 10) -> None:
    """Return once it answers a question by UDP; what it answers may be a fault.

    Raises:
        SystemFault: TIMED_OUT.
    """
    from dnslib import DNSError, DNSRecord

    question = DNSRecord.question(names.DOMAIN, "SOA")

    def answers() -> bool:
        said = DNSRecord.parse(question.send(LOOPBACK, port, timeout=0.5))
        return bool(said.header.id == question.header.id)

    until(answers, seconds=seconds, what="the name server does not answer", ignoring=(OSError, DNSError))
