"""One host of `Hosting`: its folders, its two slots, its process manager. See `slot_commands` for what lies where."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.systems.hosts import commands, proc, slot_commands, slot_files
from runbooks.systems.hosts.access import Access
from runbooks.systems.hosts.control import Control
from runbooks.systems.hosts.runner import output
from runbooks.systems.hosts.shell import LOG_LINES, Shell
from runbooks.systems.hosts.slot_build import Recipe, build
from runbooks.systems.hosts.slot_files import Seen
from runbooks.systems.platform.hosting import Built, HostState, Placement, Release, Slot, SlotState


@dataclass(frozen=True)
class SlotHost:
    """One machine.

    Attributes:
        root: The folder there that holds releases and slots.
    """

    access: Access
    root: str
    control: Control
    recipe: Recipe

    @property
    def name(self) -> str:
        """The host, as a person calls it."""
        return self.access.name

    @property
    def shell(self) -> Shell:
        """Runs what changes something there."""
        return Shell(self.access, self.root)

    # --- looking

    def observe(self) -> HostState:
        """See `Hosting.observe`."""
        seen = self.seen()
        slots = {slot: self._slot(seen, slot) for slot in Slot}
        return HostState(self.name, seen.active, slots, seen.releases, seen.free_bytes, seen.token)

    def seen(self) -> Seen:
        """What lies there."""
        mend = "see platform.hosts.root, and whether the folder was made there"
        found = output(self.access, slot_commands.observe(self.root), "the host can't be looked at", self.root, mend)
        return slot_files.parse(found.text, f"{self.root} on {self.name}")

    def _slot(self, seen: Seen, slot: Slot) -> SlotState:
        process = self.control.process(slot)
        return SlotState(slot, seen.addresses[slot], seen.placements[slot], process.pid, process.stays)

    def variables(self, slot: Slot) -> Mapping[str, Secret]:
        """See `Hosting.variables`."""
        path = f"{self.root}/slots/{slot}/variables"
        found = output(self.access, slot_commands.variables(path), "the slot's variables can't be read", path)
        return slot_files.of_variables(found.text, f"{path} on {self.name}")

    def started_with(self, slot: Slot) -> Mapping[str, Secret]:
        """See `Hosting.started_with`."""
        pid = self.control.process(slot).pid
        if pid is None:
            return {}
        path = f"/proc/{pid}/environ"
        mend = f"it is read as the user that runs {slot}: log in as that one, or run the unit as who logs in"
        what = "what the slot's process was started with can't be read"
        return proc.environment(output(self.access, commands.content(path), what, path, mend).output)

    def listens(self, address: str) -> bool:
        """Whether something accepts connections there.

        Raises:
            SystemFault: it can't be told.
        """
        try:
            self.access.connect(address, seconds=5).close()
        except SystemFault as fault:
            if fault.reason is Reason.UNREACHABLE and fault.what == "nothing listens there":
                return False
            raise
        return True

    def claim(self, token: int) -> None:
        """See `Changes.claim`."""
        self.shell.fenced(slot_commands.claim(self.root, token), "the host can't be claimed")

    def build(self, token: int, release: Release, *, seconds: float, say: Callable[[str], None]) -> Built:
        """See `Changes.build`."""
        return build(self.shell, self.recipe, token, release, seconds=seconds, say=say)

    # --- running

    def place(self, token: int, slot: Slot, placement: Placement, variables: Mapping[str, Secret]) -> None:
        """See `Changes.place`."""
        text = slot_files.variables(variables)
        seen, process = self._seen_by(token), self.control.process(slot)
        if seen.placements[slot] == placement and (seen.active is slot or process.stays):
            self.claim(token)
            return
        if seen.active is slot or process.pid is not None or process.stays:
            raise self._refused(
                slot, "the slot is in use", "it is the active one" if seen.active is slot else process.state
            )
        settings = f"{self.shell.folder(placement.release)}/railway.json"
        what = "the release is not on the host"
        railway = output(self.access, commands.content(settings), what, settings, "build it first").text
        command = slot_files.start_command(railway, f"{settings} on {self.name}")
        placed = slot_files.placed(placement)
        argv = slot_commands.place(self.root, token, slot, placement.release.id, placed, command)
        self.shell.fenced(argv, "the release can't be placed", data=[text])

    def start(self, token: int, slot: Slot, seconds: float) -> None:
        """See `Changes.start`."""
        self.claim(token)
        seen = self.seen()
        if seen.placements[slot] is None:
            raise self._refused(slot, "nothing lies in the slot", "no release was placed there, or only half of it")
        address = seen.addresses[slot]
        if not self.control.process(slot).stays:
            if self.listens(address):
                raise self._refused(slot, "somebody else listens at the slot's address", address)
            self.control.start(slot)
        try:
            until(
                lambda: self._has_ended(slot) or self.listens(address),
                seconds=seconds,
                what=f"what lies in {slot} does not listen at {address}",
            )
            if self._has_ended(slot):
                raise self._ended(slot)
        except SystemFault:
            with contextlib.suppress(SystemFault):  # what does not come up must not be tried again for ever
                self.control.stop(slot, seconds=60)
            raise

    def _has_ended(self, slot: Slot) -> bool:
        return self.control.process(slot).ended

    def _ended(self, slot: Slot) -> SystemFault:
        return SystemFault(
            "what was started has ended by itself",
            reason=Reason.FAILED,
            where=f"{slot} on {self.name}",
            found=self.log(slot, LOG_LINES).strip()[-1500:],
            mend="see its log above; the slot is stopped again",
        )

    def stop(self, token: int, slot: Slot, seconds: float) -> None:
        """See `Changes.stop`."""
        self.claim(token)
        if self.seen().active is slot:
            raise self._refused(slot, "the active slot is not stopped", "requests go there")
        self.control.stop(slot, seconds)

    def switch(self, token: int, slot: Slot) -> None:
        """See `Changes.switch`."""
        seen = self._seen_by(token)
        if not self.listens(seen.addresses[slot]):
            raise self._refused(slot, "nothing listens in the slot", seen.addresses[slot])
        if seen.proxy is not None and not self.listens(seen.proxy):
            raise SystemFault(
                "the proxy does not answer, so nothing is switched",
                reason=Reason.UNREACHABLE,
                where=f"{seen.proxy} on {self.name}",
                mend="start it, and look at its log",
            )
        self.shell.fenced(slot_commands.switch(self.root, token, slot), "the requests can't be moved")

    def run_in_release(
        self, token: int, release: Release, argv: Sequence[str], variables: Mapping[str, Secret], seconds: float
    ) -> str:
        """See `Changes.run_in_release`."""
        self.claim(token)
        done = self.shell.tied(release, argv, variables, seconds)
        if done.status != 0:
            raise self.shell.failed(
                f"{' '.join(argv)} failed", self.shell.folder(release), done.errors or done.text, done
            )
        return done.text

    def log(self, slot: Slot, lines: int) -> str:
        """See `Hosting.log_of`."""
        return self.control.tail(slot, lines)

    # --- clearing away

    def remove_old(self, token: int, *, keep: int, needed: Collection[str]) -> tuple[str, ...]:
        """See `Changes.remove_old`."""
        seen = self._seen_by(token)
        placed = {placement.release.id for placement in seen.placements.values() if placement}
        ids = [release.id for release in seen.releases]
        kept = {*ids[len(ids) - keep :], *placed, *needed} if keep else {*placed, *needed}
        left = output(self.access, slot_commands.leftovers(self.root), "the releases can't be listed", self.root)
        going = [each for each in (*ids, *left.text.split()) if each not in kept]
        if going:
            self.shell.fenced(
                slot_commands.remove(self.root, token, going), "old releases can't be removed", seconds=120
            )
        return tuple(going)

    def _seen_by(self, token: int) -> Seen:
        """What lies there, for whoever may change it: a refusal that matters to a late holder is that it is late."""
        seen = self.seen()
        if seen.token > token:
            raise self.shell.claimed_by(str(seen.token))
        return seen

    def _refused(self, slot: Slot, what: str, found: str) -> SystemFault:
        return SystemFault(what, reason=Reason.REFUSED, where=f"{slot} on {self.name}", found=found)
