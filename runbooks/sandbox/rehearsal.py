"""What an operator does after a deploy: notes it in the ledger, looks once, and has rehearsed the load before."""

from __future__ import annotations

from runbooks.engine.errors import SystemFault
from runbooks.engine.step import Scope
from runbooks.environment.load import load as load_environment
from runbooks.environment.site import Site
from runbooks.sandbox.world import Sandbox
from runbooks.steps import load, watch
from runbooks.steps.load import Rehearsal
from runbooks.systems.ledger.ledger import DEPLOYED, REHEARSAL

NAME = "local"
TRIES = 3
"""A machine that is busy starting everything may miss the budget once."""


def rehearse(sandbox: Sandbox, scope: Scope) -> str:
    """Note that the release was put to work; put the declared load on it and look at it, unless that was done before.

    A sandbox without all that is still one, so nothing here makes its start fail.
    """
    if faults := sandbox.faults():
        return f"left out: {', '.join(faults)} is injected"
    site = Site(load_environment(sandbox.project / "inventory", NAME), sandbox.redactor)
    try:
        _note_start(sandbox, site)
        if any(True for _ in site.ledger.newest(REHEARSAL)):
            return "done before"
        text = _put_load(site, scope)
        watch.take(site, watch.SINCE_AN_HOUR)
    except SystemFault as fault:
        return f"not rehearsed: {fault.what}"
    finally:
        site.close()
    return text


def _put_load(site: Site, scope: Scope) -> str:
    declared = site.environment.load
    if not declared.allowed or declared.rate is None:
        return "no load is declared"
    text = ""
    for _ in range(TRIES):
        work = Rehearsal(site, declared.rate, declared.minutes)
        text = load.put_load(work, scope)
        if work.told and not work.told["missed"]:
            break
    return text


def _note_start(sandbox: Sandbox, site: Site) -> None:
    """Write down that the release that runs was put to work, if it was since that was written down last."""
    import psutil

    started = psutil.Process(sandbox.manager.pid(sandbox.active_program(NAME))).create_time()
    noted = next(site.ledger.newest(DEPLOYED), None)
    if noted is None or noted.release != site.commit or noted.at.timestamp() < started:
        site.ledger.append(DEPLOYED, site.commit or "", {})
