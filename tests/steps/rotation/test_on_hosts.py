"""What runs on hosts is renewed beside itself: on this machine and over SSH, and from wherever it was given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from runbooks.engine.errors import LeaseLost, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.steps.rotation.kind import Change
from runbooks.steps.rotation.on_hosts import OnHosts
from runbooks.systems.hosts.access import Access, Here
from runbooks.systems.hosts.fleet import Fleet
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Placement, Release, Slot
from tests import sshd
from tests.hosts import VARIABLES, Bed, bed

OLD, NEW = Secret("COLOUR", VARIABLES["COLOUR"].reveal()), Secret("COLOUR", "green, and as long as 'tis")
CHANGE = Change({"COLOUR": OLD}, {"COLOUR": NEW})
BEFORE = {"COLOUR": OLD, "SIZE": Secret("SIZE", "9")}


@pytest.fixture(scope="module")
def over_ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as daemon, sshd.opened(daemon) as ssh:
        yield ssh


@pytest.fixture(scope="module")
def one_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with bed(tmp_path_factory.mktemp("bed")) as made:
        yield made


@pytest.fixture
def there(one_bed: Bed) -> Bed:
    one_bed.clear()
    return one_bed


@dataclass
class Work:
    """One host that serves a release in its blue slot, with the old value."""

    fleet: Fleet
    release: Release

    @property
    def host(self) -> str:
        return self.fleet.hosts[0]

    def consumers(self, hosting: Any = None) -> OnHosts:
        return OnHosts(hosting or self.fleet, "the-rotation", lambda _: "print", lambda _: None, 30, _problem)

    def served(self) -> tuple[str, str]:
        """The release and the colour that requests meet."""
        active = self.fleet.observe(self.host).active
        assert active
        with self.fleet.reach(self.host, active) as url:
            found = httpx.get(url).json()
        return found["commit"], found["colour"]

    def runs(self) -> dict[Slot, bool]:
        return {slot: each.running for slot, each in self.fleet.observe(self.host).slots.items()}


def _problem(client: HttpClient) -> str:
    return "" if client.get("/").object()["colour"] != "bad for it" else "this colour is bad for it"


def deployed(there: Bed, access: Access) -> Work:
    fleet, release = there.fleet(access), there.release("one")
    changes, (host,) = fleet.changes(1), fleet.hosts
    changes.build(host, release, say=lambda _: None)
    changes.place(host, Slot.BLUE, Placement(release, "a-deploy", "its"), BEFORE)
    changes.start(host, Slot.BLUE)
    changes.switch(host, Slot.BLUE)
    return Work(fleet, release)


@pytest.fixture
def work(there: Bed) -> Work:
    return deployed(there, Here())


def scope(token: int = 1) -> Scope:
    return Scope(
        run="the-rotation",
        before={},
        seconds=120,
        stopping=threading.Event(),
        say=lambda _text: None,
        record=lambda _kind, **_data: None,
        token=token,
    )


@pytest.mark.parametrize("way", ["here", "ssh"])
def test_the_same_release_takes_over_with_the_new_value_and_goes_back_as_it_came(
    way: str, there: Bed, request: pytest.FixtureRequest
) -> None:
    work = deployed(there, Here() if way == "here" else request.getfixturevalue("over_ssh"))
    consumers = work.consumers()
    assert not consumers.renewed(CHANGE)
    assert consumers.renewed(CHANGE.reversed()), "it runs with the old value by now"

    said = consumers.renew(CHANGE, scope())

    state = work.fleet.observe(work.host)
    assert said == f"green of {work.host} serves with it"
    assert work.served() == ("one", NEW.reveal())
    assert state.serving == Placement(work.release, "the-rotation", "print")
    assert work.fleet.variables(work.host, Slot.GREEN) == {**BEFORE, "COLOUR": NEW}, "nothing but the secret changes"
    assert work.runs() == {Slot.BLUE: False, Slot.GREEN: True}
    assert consumers.renewed(CHANGE)
    assert not consumers.renewed(CHANGE.reversed())

    consumers.renew(CHANGE.reversed(), scope())

    assert work.served() == ("one", OLD.reveal())
    assert work.fleet.observe(work.host).serving == Placement(work.release, "a-deploy", "its")
    assert work.runs() == {Slot.BLUE: True, Slot.GREEN: False}


class GivenUp(BaseException):
    """As if killed."""


@dataclass
class Dying:
    """A way to the hosts on which an effect is the last one, or never comes to be."""

    fleet: Fleet
    effect: str
    done: bool

    def changes(self, token: int) -> Any:
        return _DyingChanges(self, self.fleet.changes(token))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fleet, name)


@dataclass
class _DyingChanges:
    way: Dying
    changes: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> None:
            if name != self.way.effect or self.way.done:
                getattr(self.changes, name)(*arguments, **named)
            if name == self.way.effect:
                raise GivenUp

        return call


@pytest.mark.parametrize(
    ("when", "effect", "then"),
    [
        ("ahead of", "place", "on"),
        ("after", "place", "on"),
        ("after", "place", "back"),
        ("after", "start", "on"),
        ("after", "start", "back"),
        ("after", "switch", "on"),
        ("after", "switch", "back"),
    ],
)
def test_given_up_at_any_effect_it_goes_on_from_there_or_back(when: str, effect: str, then: str, work: Work) -> None:
    dying = work.consumers(Dying(work.fleet, effect, when == "after"))
    with pytest.raises(GivenUp):
        dying.renew(CHANGE, scope())
    consumers = work.consumers()
    assert not consumers.renewed(CHANGE), "the slot before it still runs, or the next one does not"
    wanted = CHANGE if then == "on" else CHANGE.reversed()

    consumers.renew(wanted, scope())

    assert consumers.renewed(wanted)
    assert work.served() == ("one", wanted.new["COLOUR"].reveal())
    assert sorted(work.runs().values()) == [False, True]


def test_no_request_is_sent_to_what_does_not_become_well(work: Work) -> None:
    bad = Change({"COLOUR": OLD}, {"COLOUR": Secret("COLOUR", "bad for it")})
    pid = work.fleet.observe(work.host).slots[Slot.BLUE].pid

    with pytest.raises(SystemFault, match="does not become well") as caught:
        replace(work.consumers(), seconds=0).renew(bad, scope())

    assert caught.value.found == "this colour is bad for it"
    assert work.served() == ("one", OLD.reveal())
    work.consumers().renew(bad.reversed(), scope())
    assert work.fleet.observe(work.host).slots[Slot.BLUE].pid == pid, "what served goes on undisturbed"
    assert work.runs() == {Slot.BLUE: True, Slot.GREEN: False}


def test_what_lies_in_a_slot_is_no_evidence_of_what_runs_there(work: Work, there: Bed) -> None:
    file = there.root / "slots" / "blue" / "variables"
    file.write_text('export COLOUR="green, and as long as \'tis"\n')
    assert work.fleet.variables(work.host, Slot.BLUE) == {"COLOUR": NEW}

    assert not work.consumers().renewed(CHANGE)


def test_once_there_is_no_way_back_the_old_value_lies_nowhere_on_the_host(work: Work, there: Bed) -> None:
    consumers = work.consumers()
    consumers.renew(CHANGE, scope())
    assert not consumers.forgotten(CHANGE.new)

    consumers.forget(CHANGE.new, scope())

    assert consumers.forgotten(CHANGE.new)
    assert [
        path for path in (there.root / "slots").rglob("*") if path.is_file() and b"$HOME" in path.read_bytes()
    ] == []
    assert work.served() == ("one", NEW.reveal())
    assert work.runs() == {Slot.BLUE: False, Slot.GREEN: True}


def test_a_late_holder_renews_nothing(work: Work) -> None:
    work.fleet.changes(5).claim(work.host)

    with pytest.raises(LeaseLost):
        work.consumers().renew(CHANGE, scope(token=4))

    assert work.served() == ("one", OLD.reveal())


def test_a_host_that_serves_nothing_has_nothing_to_renew(there: Bed) -> None:
    fleet = there.fleet(Here())
    consumers = Work(fleet, Release("none", "")).consumers()

    said = consumers.renew(CHANGE, scope())

    assert said == f"{fleet.hosts[0]} serves nothing"
    assert consumers.renewed(CHANGE)
    assert consumers.forgotten(CHANGE.new)
