"""The versions of a secret while it is rotated: CURRENT, PENDING and PREVIOUS, wherever its values are kept.

A rotation moves a secret through `Stage`, one effect at a time; each effect is one atomic change of the place, so a
process that dies anywhere leaves exactly one CURRENT:

    NONE  -- put_pending ->  PENDING  -- promote ->  PROMOTED  -- retire ->  RETIRED
          <-   discard   --           <-  demote --

`SecretVersions` is what steps use: it knows the order, and does nothing twice. `VersionStore` is the port to the
place: a dotenv file (`dotenv_versions`) or AWS Secrets Manager (`secrets_manager`); `tests/contracts` asks both the
same questions. Several names given to one call belong together (an access key and its secret): a dotenv file changes
them at once, Secrets Manager one after the other.

A version carries the run that made it (`version_id`), which is how ``done`` of a step knows its own work again.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runbooks.engine.errors import InputError, NeedsPerson
from runbooks.engine.secret import Secret


class Label(enum.StrEnum):
    """What a version is to those who use the secret."""

    CURRENT = "CURRENT"
    PENDING = "PENDING"
    PREVIOUS = "PREVIOUS"


class Stage(enum.StrEnum):
    """How far a run has brought a secret."""

    NONE = "none"
    PENDING = "pending"
    PROMOTED = "promoted"
    RETIRED = "retired"


@dataclass(frozen=True)
class Version:
    """One value that a secret has, had, or is to have.

    Attributes:
        id: What `version_id` gives for the run that made it, or the place's own id; None: set by hand, and not known.
        created: When it was put there; None: not known.
    """

    id: str | None
    value: Secret
    created: datetime | None = None


@dataclass(frozen=True)
class Versions:
    """The labelled versions of one secret. No CURRENT: there is no such secret."""

    name: str
    current: Version | None = None
    pending: Version | None = None
    previous: Version | None = None

    def labelled(self) -> Mapping[Label, Version]:
        """Those that exist."""
        each = {Label.CURRENT: self.current, Label.PENDING: self.pending, Label.PREVIOUS: self.previous}
        return {label: version for label, version in each.items() if version}

    def stage(self, run: str) -> Stage:
        """How far this run has brought it."""
        mine = version_id(run, self.name)
        if self.pending and self.pending.id == mine:
            return Stage.PENDING
        if self.current and self.current.id == mine:
            return Stage.PROMOTED if self.previous else Stage.RETIRED
        return Stage.NONE


def version_id(run: str, name: str) -> str:
    """The id of the version that a run makes of this secret: always the same, so putting it twice is putting it once.

    A UUID, because that is what Secrets Manager wants of a ``ClientRequestToken``.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"runbooks:{run}/{name}"))


class VersionStore(Protocol):
    """A place that keeps versions. It does what it is told; what may be done when, `SecretVersions` decides."""

    def __str__(self) -> str:
        """How an operator would name the place."""

    def read(self, name: str) -> Versions:
        """The labelled versions, as they are now.

        Raises:
            InputError: the place is not as the inventory says.
            NeedsPerson: a person changed the value meanwhile, so that it can't be told which version is CURRENT.
            SystemFault: it can't be asked.
        """

    def refuse(self, name: str, value: str) -> None:
        """Raise InputError, saying what it is about the value that the place can't keep exactly; never the value."""

    def put(self, values: Mapping[str, Secret], run: str) -> None:
        """Keep these as PENDING. There are none yet."""

    def promote(self, names: Collection[str]) -> None:
        """Make PENDING CURRENT, and CURRENT PREVIOUS, in one change."""

    def demote(self, names: Collection[str]) -> None:
        """Make PREVIOUS CURRENT again, and CURRENT PENDING, in one change."""

    def discard(self, names: Collection[str]) -> None:
        """Forget PENDING."""

    def retire(self, names: Collection[str]) -> None:
        """Forget PREVIOUS."""

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else who asks for it changes versions until the end of the block, where the place can hold that."""


@dataclass(frozen=True)
class SecretVersions:
    """What a rotation does with a secret's versions. Each effect says whether it had anything left to do.

    Attributes:
        store: The place.
        known: Told every value that is read or put, before anything else is done with it: for a redactor.
    """

    store: VersionStore
    known: Callable[[Secret], None] = lambda _secret: None

    def __str__(self) -> str:
        return str(self.store)

    def read(self, name: str) -> Versions:
        """The labelled versions of a secret. Raises as `VersionStore.read`."""
        versions = self.store.read(name)
        for version in versions.labelled().values():
            self.known(version.value)
        return versions

    def stage(self, name: str, run: str) -> Stage:
        """How far a run has brought a secret. Raises as `VersionStore.read`."""
        return self.read(name).stage(run)

    def put_pending(self, values: Mapping[str, Secret], run: str) -> bool:
        """Keep new values beside the present ones, where nobody uses them yet.

        Returns:
            Whether anything was put; False: this run had done so before.

        Raises:
            InputError: there is no such secret, the value is the present one, or the place can't keep it exactly.
            NeedsPerson: another rotation of it has not ended, or this run had put another value.
        """
        for value in values.values():
            self.known(value)
        with self.store.alone():
            due = {name: value for name, value in values.items() if self._wants(name, value, run)}
            for name, value in due.items():
                self.store.refuse(name, value.reveal())
            if due:
                self.store.put(due, run)
        return bool(due)

    def promote(self, names: Collection[str], run: str) -> bool:
        """Make this run's PENDING CURRENT; what was CURRENT is PREVIOUS then.

        Returns:
            Whether anything changed; False: this run had done so before.

        Raises:
            NeedsPerson: there is no PENDING of this run.
        """
        return self._moved(names, run, {Stage.PENDING}, {Stage.PROMOTED, Stage.RETIRED}, self.store.promote)

    def demote(self, names: Collection[str], run: str) -> bool:
        """Take `promote` back: PREVIOUS is CURRENT again.

        Returns:
            Whether anything changed; False: this run's version is not CURRENT.

        Raises:
            NeedsPerson: PREVIOUS has been retired, so there is no way back.
        """
        return self._moved(names, run, {Stage.PROMOTED}, {Stage.PENDING, Stage.NONE}, self.store.demote)

    def discard(self, names: Collection[str], run: str) -> bool:
        """Take `put_pending` back.

        Returns:
            Whether anything changed; False: there is no PENDING of this run.

        Raises:
            NeedsPerson: this run's version is CURRENT: `demote` it first.
        """
        return self._moved(names, run, {Stage.PENDING}, {Stage.NONE}, self.store.discard)

    def retire(self, names: Collection[str], run: str) -> bool:
        """Forget PREVIOUS, once nobody uses it. There is no way back from here.

        Returns:
            Whether anything changed; False: this run had done so before.

        Raises:
            NeedsPerson: this run's version is not CURRENT.
        """
        return self._moved(names, run, {Stage.PROMOTED}, {Stage.RETIRED}, self.store.retire)

    def _moved(
        self,
        names: Collection[str],
        run: str,
        begins: set[Stage],
        done: set[Stage],
        move: Callable[[Collection[str]], None],
    ) -> bool:
        with self.store.alone():
            stages = {name: self.stage(name, run) for name in names}
            for name, stage in stages.items():
                if stage not in begins | done:
                    raise NeedsPerson(
                        f"this run can't {move.__name__} {name}",
                        where=f"{name} in {self}",
                        found=f"the run has brought it to: {stage}",
                        mend=f"see its versions, then resume or abort the run: invoke runs.show {run}",
                    )
            due = [name for name, stage in stages.items() if stage in begins]
            if due:
                move(due)
        return bool(due)

    def _wants(self, name: str, value: Secret, run: str) -> bool:
        versions = self.read(name)
        where = f"{name} in {self}"
        if versions.stage(run) is not Stage.NONE:
            mine = versions.pending or versions.current
            assert mine
            if mine.value != value:
                mend = f"invoke runs.abort {run}, and rotate anew"
                raise NeedsPerson("this run had put another value", where=where, found=str(mine.id), mend=mend)
            return False
        if versions.pending:
            raise NeedsPerson(
                f"another rotation of {name} has not ended",
                where=where,
                found=f"PENDING is version {versions.pending.id}",
                mend="resume or abort it first: invoke runs.list",
            )
        if versions.previous:
            raise NeedsPerson(
                f"the last rotation of {name} has not retired PREVIOUS, which somebody may still use",
                where=where,
                found=f"PREVIOUS is version {versions.previous.id}",
                mend="resume that run to its end, or, if nobody uses it any more, retire it by hand",
            )
        if versions.current is None:
            raise InputError(f"there is no {name} to rotate", where=where, mend=f"set {name} there first")
        if versions.current.value == value:
            raise InputError(f"the new value of {name} is the present one", where=where, mend="give another value")
        return True
