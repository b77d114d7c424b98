"""Where a person starts the application anew, it is evidence that tells whether that was done."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks.engine.errors import NeedsPerson, Reason, SystemFault
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.steps.rotation.by_hand import ByHand
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.platform.port import Platform, Running

CHANGE = Change({"KEY": Secret("KEY", "the old value")}, {"KEY": Secret("KEY", "the new value")})


class AnyKey(Kind):
    """One that is told by what ``seen`` says, if by anything."""

    title = "any key"
    names = ("KEY",)
    seen: bool | None = None

    def in_use(self, _change: Change, _since: datetime) -> bool | None:
        return self.seen

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return current

    def test(self, _change: Change) -> str:
        return ""

    def prove(self, _change: Change) -> str:
        return "an old connection would do for that"

    def users_of_old(self, _change: Change) -> int:
        return 0


@dataclass
class Place:
    """An application that runs as process ``pid``; None: nothing can be asked what runs it."""

    journal: Journal
    pid: int | None
    kind: AnyKey = field(default_factory=AnyKey)

    def consumers(self, *, said: bool = False) -> ByHand:
        return ByHand("shop", self.kind, self.platform, lambda: list(self.journal.records), said)

    def platform(self) -> Platform:
        if self.pid is None:
            raise SystemFault("it can't be asked", reason=Reason.UNREACHABLE)
        running = Running(self.pid, datetime.now(UTC), 0)
        return cast(Platform, SimpleNamespace(running=lambda: running))

    def asks(self, change: Change = CHANGE, *, said: bool = False) -> NeedsPerson:
        scope = Scope(
            run="run",
            before={},
            seconds=60,
            stopping=threading.Event(),
            say=lambda _text: None,
            record=self.journal.append,
        )
        with pytest.raises(NeedsPerson) as caught:
            self.consumers(said=said).renew(change, scope)
        return caught.value


@pytest.fixture
def place(tmp_path: Path) -> Any:
    journal = Journal.create(tmp_path / "run", Redactor())
    yield Place(journal, pid=7)
    journal.close()


def test_nothing_is_taken_for_done_before_it_was_asked_for(place: Place) -> None:
    place.kind.seen = True

    assert not place.consumers(said=True).renewed(CHANGE)


def test_another_process_than_when_it_was_asked_for_is_evidence(place: Place) -> None:
    asked = place.asks()
    assert asked.mend == "start every replica anew, then: invoke secrets.resume KEY"
    assert not place.consumers().renewed(CHANGE)
    assert not place.consumers(said=True).renewed(CHANGE), "a word does not outweigh what is seen"
    assert place.asks(said=True).found == "it does not show yet that this was done"

    place.pid = 8

    assert place.consumers().renewed(CHANGE)


def test_where_the_old_value_is_seen_in_use_another_process_is_not_enough(place: Place) -> None:
    place.asks()
    place.pid, place.kind.seen = 8, False

    assert not place.consumers().renewed(CHANGE)

    place.kind.seen = True

    assert place.consumers().renewed(CHANGE)


def test_without_anything_to_look_at_a_person_gives_a_word_for_it(place: Place) -> None:
    place.pid = None
    asked = place.asks()

    assert asked.mend.endswith("invoke secrets.resume KEY --restarted, which is your word for it")
    assert not place.consumers().renewed(CHANGE)
    assert place.consumers(said=True).renewed(CHANGE)


def test_the_way_back_is_asked_for_and_told_apart(place: Place) -> None:
    place.asks()
    place.pid = 8
    back = CHANGE.reversed()

    assert not place.consumers().renewed(back), "that process was started with the new value"
    assert "invoke secrets.abort KEY" in place.asks(back).mend
    assert not place.consumers().renewed(back)

    place.pid = 9

    assert place.consumers().renewed(back)
