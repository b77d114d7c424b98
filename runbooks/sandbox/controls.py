"""Looks at the sandbox, breaks and mends it, and throws it away."""

from __future__ import annotations

import contextlib
import difflib
import sys

from runbooks import command, project
from runbooks.engine.confirm import confirm
from runbooks.engine.errors import InputError
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.faults.catalogue import FAULTS
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.files import update_state
from runbooks.sandbox.world import Sandbox

INJECTED = "faults"


def show_status() -> None:
    """Print what runs, where, and which faults are injected."""
    sandbox = Sandbox.of(project.root())
    print(f"sandbox in {sandbox.layout.root}")
    if not sandbox.manager.alive():
        print("it does not run; to start it: invoke sandbox.up")
        return
    numbers = sandbox.numbers()
    for name, state in sorted(sandbox.manager.states().items()):
        where = f"127.0.0.1:{numbers[name]}" if name in numbers else ""
        print(f"  {name:<32} {state.lower():<10} {where}".rstrip())
    for name in ENVIRONMENTS:
        release = sandbox.deployed(name)
        built = f" built with the fault {release['fault']}" if release.get("fault") else ""
        print(f"  {name} runs {release.get('revision', 'nothing')} ({release.get('commit', '')[:12]}){built}")
    faults = sandbox.faults()
    print(f"faults: {', '.join(faults)}; to take them back: invoke sandbox.mend" if faults else "no fault is injected")


def show_faults() -> None:
    """Print every fault that can be injected."""
    for fault in FAULTS.values():
        print(f"  {fault.name:<34} turns {fault.breaks} red")


def break_(name: str) -> None:
    """Inject a fault.

    Raises:
        InputError: there is no such fault, or the sandbox does not run.
    """
    fault = _known(name)
    sandbox = Sandbox.of(project.root())
    sandbox.require_running()
    _begin_an_hour(sandbox)
    inject(sandbox, fault)
    print(f"{name} is injected; to take it back: invoke sandbox.mend")
    print(f"see it: invoke release.verify --env local --only {fault.breaks}")


def mend(name: str | None = None) -> None:
    """Take back one fault, or all that are injected.

    Servers that do not run are started first: most faults are mended by asking them. Those that may keep the
    application from starting are mended before those that need it.

    Raises:
        InputError: there is no such fault, or the sandbox was never started.
    """
    sandbox = Sandbox.of(project.root())
    names = [_known(name).name] if name else sandbox.faults()
    if not names:
        print("no fault is injected")
        return
    if not sandbox.servers_answer():
        sandbox.choose_ports()
        sandbox.start_servers()
    for fault in sorted(map(_known, names), key=lambda fault: fault.means.restarts):
        take_back(sandbox, fault)
        print(f"{fault.name} is mended")
    _begin_an_hour(sandbox)


def inject(sandbox: Sandbox, fault: Fault) -> None:
    """Note the fault, then inject it: a kill in between leaves one that can be mended."""
    update_state(sandbox.layout, INJECTED, [*(name for name in sandbox.faults() if name != fault.name), fault.name])
    fault.means.inject(sandbox)


def take_back(sandbox: Sandbox, fault: Fault) -> None:
    """Mend the fault, then forget it."""
    fault.means.mend(sandbox)
    update_state(sandbox.layout, INJECTED, [name for name in sandbox.faults() if name != fault.name])


def _begin_an_hour(sandbox: Sandbox) -> None:
    """Have the applications count their hourly limits anew, so that the next verification really asks.

    Whoever breaks, looks, mends and looks again registers more users within the hour than the limit allows.
    """
    from redis import RedisError

    with contextlib.suppress(RedisError):  # another fault may be that Redis refuses; the limits then stay spent
        for name in ENVIRONMENTS:
            sandbox.forget_rate_limits(name)


def reset(given: str | None) -> int:
    """Stop the sandbox and delete all that it holds. Run logs are kept elsewhere and stay.

    Raises:
        InputError: it was not confirmed.
    """
    sandbox = Sandbox.of(project.root())
    confirm(
        "sandbox",
        [f"everything in {sandbox.layout.root} will be deleted: databases, keys, mails, logs of the servers"],
        given=given,
        ask=input if sys.stdin.isatty() else None,
        show=print,
    )
    return command.start("sandbox.reset", command.Options(environment="local", reason="reset"))


def _known(name: str) -> Fault:
    if name in FAULTS:
        return FAULTS[name]
    near = difflib.get_close_matches(name, FAULTS, n=1)
    raise InputError(
        f"no fault is called {name!r}",
        mend=f"did you mean {near[0]}?" if near else "invoke sandbox.faults lists them",
    )
