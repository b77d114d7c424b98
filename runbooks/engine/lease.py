"""One changing run per environment: a lease in the store, with holder, reason, expiry and fencing token.

The object is never deleted. Its token only grows, so whoever is handed a token can refuse an older one.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbooks.engine.errors import InputError, LeaseHeld, LeaseLost, RunbookError, SystemFault
from runbooks.engine.store import Store, Stored

NAME = "lease.json"
LIFETIME = timedelta(seconds=60)
"""A holder that has not been heard of for this long may be succeeded."""


@dataclass(frozen=True)
class Lease:
    """Who may change the environment, until when. ``run`` is empty while nobody holds it."""

    token: int
    run: str
    holder: str
    reason: str
    host: str
    process: str
    acquired: str
    expires: str
    broken: str = ""

    @property
    def expired(self) -> bool:
        """Whether the holder has been silent for too long."""
        return datetime.now(UTC) >= datetime.fromisoformat(self.expires)

    @property
    def holder_gone(self) -> bool:
        """Whether the holder was a process of this machine that no longer exists."""
        return self.host == machine() and process_identity(int(self.process.split("@")[0])) != self.process

    def describe(self) -> str:
        """Who, since when, why."""
        return f"{self.holder} since {self.acquired}: {self.reason} (run {self.run}, until {self.expires})"


def operator() -> str:
    """Who is at the keyboard, as ``user@host``; RUNBOOKS_OPERATOR where several people share an account."""
    return os.environ.get("RUNBOOKS_OPERATOR") or f"{getpass.getuser()}@{socket.gethostname()}"


def machine() -> str:
    """The machine and its boot: two that share a name, or two containers, must not judge each other's pids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"


def process_identity(pid: int) -> str:
    """``pid@start`` of a living process, or ``pid@`` if it is gone; a reused pid has another start."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return f"{pid}@{fields[19]}"
    except (OSError, IndexError):
        return f"{pid}@" + ("alive" if not Path("/proc").exists() and _exists(pid) else "")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read(store: Store) -> tuple[Lease | None, Stored | None]:
    """The lease as it stands, with the version to replace.

    Raises:
        InputError: the object in the store is not a lease.
    """
    stored = store.get(NAME)
    if stored is None:
        return None, None
    try:
        return _parsed(stored.body), stored
    except (ValueError, TypeError) as error:
        raise InputError(
            "the lease can't be read",
            where=f"{NAME} in {store}",
            found=str(error),
            mend="look at it; remove it if nobody is at work",
        ) from error


def acquire(store: Store, *, run: str, reason: str, lifetime: timedelta = LIFETIME) -> Lease:
    """Take the lease if it is free, expired, or held by a process of this machine that is gone.

    Raises:
        LeaseHeld: somebody else has it.
    """
    current, stored = read(store)
    if current and current.run and not current.expired and not current.holder_gone:
        raise held(current)
    now = datetime.now(UTC)
    lease = Lease(
        token=(current.token if current else 0) + 1,
        run=run,
        holder=operator(),
        reason=reason,
        host=machine(),
        process=process_identity(os.getpid()),
        acquired=_stamp(now),
        expires=_stamp(now + lifetime),
    )
    if store.put(NAME, _body(lease), replaces=stored.version if stored else None) is None:
        winner, _ = read(store)
        raise held(winner or lease)
    return lease


def release(store: Store, lease: Lease) -> None:
    """Give the lease back; nothing happens if it is no longer ours."""
    for _ in range(3):  # a renewal that was on its way may come in between
        current, stored = read(store)
        if not (current and stored and _same(current, lease)):
            return
        free = replace(current, run="", holder="", reason="", expires=_stamp(datetime.now(UTC)))
        if store.put(NAME, _body(free), replaces=stored.version) is not None:
            return


def break_lease(store: Store, *, reason: str) -> Lease:
    """Take the lease away from its holder, whose next effect is then refused.

    Raises:
        InputError: nobody holds it, or no reason was given.
    """
    if not reason.strip():
        raise InputError("breaking a lease needs a reason", mend='--reason "who was asked, and why it is safe"')
    current, stored = read(store)
    if current is None or stored is None or not current.run:
        raise InputError("nobody holds the lease", where=str(store))
    broken = f"{_stamp(datetime.now(UTC))} by {operator()}: {reason}"
    free = replace(current, token=current.token + 1, run="", holder="", reason="", broken=broken)
    if store.put(NAME, _body(free), replaces=stored.version) is None:
        raise InputError("the lease changed while it was being broken", mend="look again")
    return current


class Keeper:
    """Holds a lease for a run: renews it in the background and knows when it is lost."""

    def __init__(self, store: Store, lease: Lease, lifetime: timedelta = LIFETIME) -> None:
        self._store = store
        self.lease = lease
        self._lifetime = lifetime
        self._over = threading.Event()
        self._renewing = threading.Lock()
        self._sure_until = time.monotonic() + lifetime.total_seconds()

    def confirm(self) -> None:
        """Read the lease again ahead of an effect, and renew it if it would not last for long.

        Raises:
            LeaseLost: it was broken, was taken over after it had expired, or may have been while the store was silent.
            SystemFault: the store can't be asked, but the lease has not run out.
        """
        try:
            current = self._look()
        except SystemFault as fault:
            if time.monotonic() < self._sure_until:
                raise
            raise self._lost("it has run out, and the store can't be asked who has it now") from fault
        except InputError as error:
            raise self._lost(error.found) from error
        if current is None or not _same(current, self.lease):
            raise self._lost((current.broken or current.describe()) if current else "no lease")

    def _look(self, *, renew: bool = False) -> Lease | None:
        """The lease as it stands; renewed if it is ours, and `renew` or half of its life is over."""
        with self._renewing:
            asked = time.monotonic()
            current, stored = read(self._store)
            if not (current and stored and _same(current, self.lease)):
                return current
            left = datetime.fromisoformat(current.expires) - datetime.now(UTC)
            if renew or left < self._lifetime / 2:
                renewed = replace(current, expires=_stamp(datetime.now(UTC) + self._lifetime))
                if self._store.put(NAME, _body(renewed), replaces=stored.version) is None:
                    return read(self._store)[0]
                self._sure_until = asked + self._lifetime.total_seconds()
            return current

    def _lost(self, found: str) -> LeaseLost:
        return LeaseLost(
            "the lease is no longer ours, so nothing more is changed",
            where=str(self._store),
            found=found,
            mend="find out who took over, then invoke runs.show on both runs",
        )

    def _renew_until_over(self) -> None:
        while not self._over.wait(self._lifetime.total_seconds() / 3):
            with contextlib.suppress(RunbookError):  # the store may be back in time; `confirm` finds out if not
                self._look(renew=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Keep the lease for the time of a block and release it after.

        A store that can't take it back is no error of the block: the lease runs out by itself.
        """
        thread = threading.Thread(target=self._renew_until_over, name="lease", daemon=True)
        thread.start()
        try:
            yield self.confirm
        finally:
            self._over.set()
            thread.join(5)
            with contextlib.suppress(RunbookError):
                release(self._store, self.lease)


def held(lease: Lease) -> LeaseHeld:
    """The error for whoever comes second."""
    return LeaseHeld(
        "another run is changing this environment",
        where=f"lease {lease.token}",
        found=lease.describe(),
        mend='wait for it, or, if its holder is surely gone: invoke lease.break --reason "…"',
    )


def _parsed(body: bytes) -> Lease:
    lease = Lease(**json.loads(body))
    if not isinstance(lease.token, int) or not all(
        isinstance(v, str) for k, v in asdict(lease).items() if k != "token"
    ):
        raise TypeError("a field is of another kind")
    if datetime.fromisoformat(lease.expires).tzinfo is None:
        raise ValueError("its expiry names no time zone")
    int(lease.process.split("@")[0])
    return lease


def _same(current: Lease, lease: Lease) -> bool:
    return (current.token, current.run) == (lease.token, lease.run)


def _body(lease: Lease) -> bytes:
    return json.dumps(asdict(lease), indent=1).encode()


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
