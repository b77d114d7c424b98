"""What the entries of the ledger come to: what runs, what each release is held for, and what the way back restores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbooks.engine.errors import InputError
from runbooks.systems.releases.record import Entry, Kind, Release, State

_TO_WORK = (Kind.DEPLOYED, Kind.ROLLED_BACK)
_BACK = (Kind.WITHDRAWN, Kind.UNDONE)


@dataclass(frozen=True)
class Activation:
    """A release was put to work.

    Attributes:
        entry: What says so.
        release: As it was then.
    """

    entry: Entry
    release: Release


@dataclass(frozen=True)
class History:
    """The ledger, read.

    Attributes:
        activations: Every time that a release was put to work, oldest first, but for those that were taken back.
        line: Those that led to what runs now: a rollback takes what lay after its release out. The last one runs.
        states: What each release is held for, by id.
        heads: The migrations that the schema was left at, by whoever changed something last.
        begun: The runs that began and have not said how they ended: they go on, or were killed.
        entries: All of them.
    """

    activations: Sequence[Activation]
    line: Sequence[Activation]
    states: Mapping[str, State]
    heads: tuple[str, ...]
    begun: Sequence[Entry]
    entries: Sequence[Entry]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> History:
        """What these entries come to, oldest first."""
        activations: list[Activation] = []
        line: list[Activation] = []
        before: dict[str, list[Activation]] = {}
        states: dict[str, State] = {}
        heads: tuple[str, ...] = ()
        begun: dict[str, Entry] = {}
        for entry in entries:
            if entry.state:
                states[entry.id] = entry.state
            if entry.kind is Kind.BEGAN:
                begun[entry.run] = entry
            elif entry.kind in (*_TO_WORK, *_BACK):
                begun.pop(entry.run, None)
            if entry.kind in _BACK:
                gone = entry.undoes or entry.run
                line = before.get(gone, line)
                heads = heads if entry.heads is None else entry.heads
                activations = [each for each in activations if each.entry.run != gone]
            elif entry.kind is Kind.RENEWED and entry.release and line and line[-1].release.id == entry.id:
                before[entry.run] = line
                line = [*line[:-1], replace(line[-1], release=entry.release)]
            elif entry.kind in _TO_WORK and entry.release:
                before[entry.run] = line
                line = [*_led_to(entry, line), Activation(entry, entry.release)]
                activations.append(line[-1])
                heads = entry.release.heads
        return cls(activations, line, states, heads, list(begun.values()), entries)

    @property
    def current(self) -> Release | None:
        """What runs now; None: nothing was deployed yet."""
        return self.line[-1].release if self.line else None

    @property
    def left_out(self) -> Mapping[str, str]:
        """The hosts that what runs now was put to work without, and why."""
        return self.line[-1].entry.left_out if self.line else {}

    def state(self, id: str) -> State:
        """What a release is held for."""
        return self.states.get(id, State.CANDIDATE)

    def previous_stable(self) -> Release | None:
        """The newest release before the one that runs, on the way to it, that is stable; None: there is none."""
        current = self.current
        for activation in reversed(self.line[:-1]):
            release = activation.release
            if current and release.id != current.id and self.state(release.id) is State.STABLE:
                return release
        return None

    def candidates(self) -> Sequence[Release]:
        """Every release that was put to work, but for the one that runs; newest first, each as it was the last time."""
        current = self.current
        found: dict[str, Release] = {}
        for activation in reversed(self.activations):
            if not current or activation.release.id != current.id:
                found.setdefault(activation.release.id, activation.release)
        return list(found.values())

    def first_after(self, id: str) -> Activation | None:
        """What was put to work right after this release ran the last time; None: it runs still.

        Raises:
            InputError: the release never ran.
        """
        last = max((at for at, each in enumerate(self.activations) if each.release.id == id), default=None)
        if last is None:
            raise InputError("this release never ran here", found=id, mend="invoke release.list")
        return next((each for each in self.activations[last + 1 :] if each.release.id != id), None)

    def snapshot_before_first_after(self, id: str) -> str | None:
        """The snapshot that going back to this release restores: the data as this release left it.

        None: the release runs still, or nothing was snapshotted ahead of what came after it.

        Raises:
            InputError: the release never ran.
        """
        after = self.first_after(id)
        return after.release.snapshot_before if after else None

    def find(self, wanted: str) -> Release:
        """The release with this id, version or commit, or one that only one id begins or ends with.

        Raises:
            InputError: none, or several, answer to it.
        """
        known = {each.release.id: each.release for each in self.activations}
        exact = [each for each in known.values() if wanted in (each.id, each.version, each.commit)]
        near = [each for each in known.values() if each.id.startswith(wanted) or each.id.endswith(wanted)]
        matches = exact or near or [each for each in known.values() if each.commit.startswith(wanted)]
        if len(matches) != 1:
            raise InputError(
                f"{'several releases answer' if matches else 'no release answers'} to {wanted}",
                found=", ".join([each.id for each in matches or known.values()][-5:]) or "nothing was deployed yet",
                mend="invoke release.list, and give the whole id",
            )
        return matches[0]


def _led_to(entry: Entry, line: list[Activation]) -> list[Activation]:
    """What stays on the line ahead of what this entry puts to work."""
    if entry.kind is not Kind.ROLLED_BACK:
        return line
    last = max((at for at, each in enumerate(line) if each.release.id == entry.id), default=len(line))
    return line[:last]
