"""An application that this tool can't start anew: a person does, and it is told from evidence that he did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runbooks.engine.errors import NeedsPerson, SystemFault
from runbooks.engine.journal import Record
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.platform.port import Platform

ASKED = "asked-to-start-anew"
"""The kind of the record that says what ran when a person was asked; there is one for each direction."""


@dataclass(frozen=True)
class ByHand:
    """See `Consumers`.

    What tells that it was done, in this order: the platform shows another process than when it was asked for; nobody
    is left who uses the old value (`Kind.in_use`); a person says so, where neither can be looked at.

    Attributes:
        environment: Its name.
        platform: Opens what runs the application. Raises SystemFault where that can't be asked.
        records: Of this run's journal, as it is now.
        said: Whether a person has said, with this command, that all of it was started anew.
    """

    environment: str
    kind: Kind
    platform: Callable[[], Platform]
    records: Callable[[], list[Record]]
    said: bool

    def renew(self, change: Change, scope: Scope) -> str:
        """Raises NeedsPerson: it stops here, and goes on when it is resumed."""
        if self._asked(change) is None:
            scope.record(ASKED, back=change.back, process=self._process())
        name = self.kind.names[0]
        again = f"invoke secrets.{'abort' if change.back else 'resume'} {name}"
        raise NeedsPerson(
            "the application has to be started anew with the variables of now, which this tool can't do here",
            where=self.environment,
            found="it does not show yet that this was done" if self.said else "",
            mend=f"start every replica anew, then: {again}"
            + ("" if self._can_tell(change) else " --restarted, which is your word for it"),
        )

    def renewed(self, change: Change) -> bool:
        asked = self._asked(change)
        if asked is None:
            return False
        seen = self._seen(change, asked)
        return self.said if seen is None else seen

    def forget(self, _values: Mapping[str, Secret], _scope: Scope) -> str:
        return "where the variables are kept is this tool's only place for them"

    def forgotten(self, _values: Mapping[str, Secret]) -> bool:
        return True

    def _asked(self, change: Change) -> Record | None:
        found = [each for each in self.records() if each.kind == ASKED and each.data["back"] == change.back]
        return found[-1] if found else None

    def _can_tell(self, change: Change) -> bool:
        asked = self._asked(change)
        return asked is not None and self._seen(change, asked) is not None

    def _seen(self, change: Change, asked: Record) -> bool | None:
        """What evidence says; None: there is none."""
        was, now = asked.data["process"], self._process()
        another = None if was is None or now is None else was["pid"] != now["pid"]
        answers = [each for each in (another, self._in_use(change, asked)) if each is not None]
        return all(answers) if answers else None

    def _in_use(self, change: Change, asked: Record) -> bool | None:
        try:
            return self.kind.in_use(change, asked.at)
        except SystemFault:  # it may just be starting
            return False

    def _process(self) -> Mapping[str, Any] | None:
        """What tells one start of the application from the next; None: nothing can be asked."""
        try:
            running = self.platform().running()
        except SystemFault:
            return None
        return {"pid": running.pid, "started": running.started.isoformat()}
