"""Whether the start command works without a shell, and a stop reaches the server."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.start_command import SHELLS, problems
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, warned
from runbooks.systems.platform.port import Process


@check(
    "final.start-command",
    title="Start command runs as written, and SIGTERM reaches the server",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="platform",
)
def start_command(subject: Subject) -> Finding:
    expected = (
        "the start command needs no shell but its own, ends in exec, and the manager's SIGTERM reaches the server"
    )
    command = subject.site.source.start_command()
    if wrong := problems(command):
        mend = 'in railway.json: "startCommand": "/bin/sh -c \\"alembic upgrade head && exec uvicorn …\\""'
        return failed(expected, f"{'; '.join(wrong)}: {command[:160]}", mend)
    platform = subject.site.platform
    tree, stop = platform.processes(), platform.settings().stop
    if problem := _keeps_signal(tree, stop.signal):
        return failed(expected, problem, "begin the server with exec in the start command, then deploy")
    if stop.seconds is None and "--timeout-graceful-shutdown" not in command:
        found = "nothing ends a stop that a hung request holds up"
        return warned(expected, found, "add --timeout-graceful-shutdown to uvicorn, or give the manager a stop timeout")
    replicas = subject.environment.platform.replicas
    if replicas > 1 and "alembic upgrade" in command:
        found = f"{replicas} replicas migrate at the same time, which fails for all but one"
        return warned(expected, found, "migrate ahead of the start, in a pre-deploy command")
    later = "never" if stop.seconds is None else f"after {stop.seconds:g} s"
    return passed(expected, f"{stop.signal} goes to {tree.name} (pid {tree.pid}), which handles it; SIGKILL {later}")


def _keeps_signal(tree: Process, signal: str) -> str | None:
    """What keeps the manager's signal from the server, if anything does."""
    if tree.name in SHELLS:
        below = ", ".join(f"{child.name} (pid {child.pid})" for child in tree.children) or "nothing"
        return f"{signal} goes to {tree.name} (pid {tree.pid}), a shell; the server is below it: {below}"
    if signal not in ("SIGTERM", "SIGINT"):
        return f"the manager stops it with {signal}, which uvicorn does not take for a stop"
    if signal == "SIGTERM" and not tree.catches_sigterm:
        return f"{tree.name} (pid {tree.pid}) has no handler for SIGTERM: requests are cut off"
    return None
