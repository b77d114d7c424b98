"""The key that this tool logs in to hosts with: the new one is let in beside the old one, which is removed last."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.hosting import Hosts
from runbooks.environment.platforms import log_in
from runbooks.environment.site import Site
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.hosts import key_pair
from runbooks.systems.hosts.access import Access
from runbooks.systems.hosts.authorized_keys import AuthorizedKeys

NAME = "SSH_KEY"
"""What a rotation of it is called by; it is no variable of the application's."""

SECONDS = 30.0


@dataclass
class SshKey(Kind):
    """See `Kind`. Every look whether a key is let in is a new connection.

    A key that may not be let in is tried as seldom as can be, and the old one never once it was removed: whoever fails
    to log in a few times is shut out by sshd itself (PerSourcePenalties, since OpenSSH 9.8), or by fail2ban.

    Nothing is removed on any host before all of them have let the new key in; and where a host then does not, its old
    key is put back over the connection that is still open.
    """

    site: Site
    run: str
    title: str = "the key that hosts are logged in to with"
    names: tuple[str, ...] = (NAME,)
    deployed: bool = False

    def plan(self) -> Iterator[str]:
        yield f"each host lets both keys in until the old one is removed: there is no gap ({', '.join(self._names)})"
        yield "the old one is removed nowhere until all hosts have let the new one in, on a new connection"
        yield f"whoever else logs in with {self._hosts.key_file} needs the new one, too"

    def look(self, current: Mapping[str, Secret]) -> str:
        old = key_pair.public(current[NAME])
        for name in self._names:
            with self._on(name, current[NAME]) as file:
                if not file.holds(old):
                    raise InputError(
                        "the key of now is let in by something else than this file, so it can't be replaced there",
                        where=f"{file.path} on {name}",
                        mend="declare platform.hosts.authorized_keys; or replace the key by hand",
                    )
        return f"{len(self._names)} hosts let the key of now in, by {self._hosts.authorized_keys}"

    def make(self, _current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        new = key_pair.make(NAME)
        self.site.mask(new)
        return {NAME: new}

    def set(self, change: Change, _scope: Scope) -> str:
        old, new = self._publics(change)
        for name in self._names:
            with self._on(name, change.old[NAME]) as file:
                file.add(new, beside=old)
        return f"added on {', '.join(self._names)}"

    def is_set(self, change: Change) -> bool:
        _, new = self._publics(change)
        return all(self._holds(name, change.old[NAME], new) for name in self._names) and self._accepted(change)

    def unset(self, change: Change) -> str:
        _, new = self._publics(change)
        return self._everywhere(lambda name: self._remove(name, change.old[NAME], new), "removed")

    def test(self, change: Change) -> str:
        if not self._accepted(change):
            raise self._refused(self._names)
        return f"{', '.join(self._names)} let it in, each on a new connection"

    def prove(self, _change: Change) -> str:
        for name in self._names:
            with contextlib.closing(log_in(self._hosts, name)) as access:
                _works(access)
        return f"{', '.join(self._names)} let in what is in {self._hosts.key_file} now"

    def users_of_old(self, _change: Change) -> int:
        """Connections outlive the key that they were opened with."""
        return 0

    def withdraw(self, change: Change) -> str:
        if not self._accepted(change):
            raise self._refused(self._names)
        for name in self._names:
            self._replace(name, change)
        return f"removed on {', '.join(self._names)}, over connections of the new one"

    def is_withdrawn(self, change: Change) -> bool:
        old, _ = self._publics(change)
        return not any(self._holds(name, change.new[NAME], old) for name in self._names)

    def readmit(self, change: Change) -> str:
        old, new = self._publics(change)

        def add(name: str) -> None:
            with self._on(name, change.new[NAME]) as file:
                file.add(old, beside=new)

        return self._everywhere(add, "added again")

    def _replace(self, name: str, change: Change) -> None:
        old, new = self._publics(change)
        with self._on(name, change.new[NAME]) as file:
            file.remove(old)
            if not self._lets_in(name, change.new[NAME]):
                file.add(old, beside=new)
                raise self._refused((name,))

    def _remove(self, name: str, private: Secret, public: str) -> None:
        with self._on(name, private) as file:
            file.remove(public)

    def _everywhere(self, do: Callable[[str], None], done: str) -> str:
        """Host by host; one that can't be reached does not keep the others from it."""
        faults = []
        for name in self._names:
            try:
                do(name)
            except SystemFault as fault:
                faults.append(fault)
        if faults:
            raise faults[0]
        return f"{done} on {', '.join(self._names)}"

    def _accepted(self, change: Change) -> bool:
        """Whether every host lets the new key in. Raises SystemFault where that can't be told."""
        return all(self._lets_in(name, change.new[NAME]) for name in self._names)

    def _holds(self, name: str, private: Secret, public: str) -> bool:
        with self._on(name, private) as file:
            return file.holds(public)

    def _lets_in(self, name: str, private: Secret) -> bool:
        try:
            with contextlib.closing(log_in(self._hosts, name, private)) as access:
                _works(access)
        except SystemFault as fault:
            if fault.reason is Reason.UNAUTHORISED:
                return False
            raise
        return True

    @contextlib.contextmanager
    def _on(self, name: str, private: Secret) -> Iterator[AuthorizedKeys]:
        with contextlib.closing(log_in(self._hosts, name, private)) as access:
            yield AuthorizedKeys(access, self._hosts.authorized_keys)

    def _publics(self, change: Change) -> tuple[str, str]:
        return key_pair.public(change.old[NAME]), key_pair.public(change.new[NAME], f"runbooks {self.run}")

    def _refused(self, names: tuple[str, ...]) -> SystemFault:
        return SystemFault(
            "the new key is not let in, so the old one stays everywhere",
            reason=Reason.UNAUTHORISED,
            where=", ".join(names),
            mend="see what its sshd says of it; AuthorizedKeysFile is platform.hosts.authorized_keys",
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return self._hosts.names

    @property
    def _hosts(self) -> Hosts:
        hosts = self.site.environment.platform.hosts
        assert hosts, "without hosts it has no versions"
        return hosts


def _works(access: Access) -> None:
    done = access.run(["true"], seconds=SECONDS)
    if done.status:
        raise SystemFault("a command fails there", reason=Reason.FAILED, where=access.name, found=done.errors.strip())
