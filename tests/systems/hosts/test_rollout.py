"""Hosts are changed canaries first; failures stop it by their number, and what is mixed is told as it is."""

from __future__ import annotations

import threading

import pytest

from runbooks.engine.errors import LeaseLost, Reason, SystemFault
from runbooks.systems.hosts.rollout import Plan, back, roll, versions
from runbooks.systems.platform.hosting import HostState, Placement, Release, Slot, SlotState

HOSTS = ("a", "b", "c", "d", "e")


class Change:
    """Fails on some hosts and notes all."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.seen: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, host: str) -> None:
        with self._lock:
            self.seen.append(host)
        if host in self.broken:
            raise SystemFault(f"{host} is full", reason=Reason.FAILED)


@pytest.mark.parametrize(
    ("plan", "waves"),
    [
        (Plan(), ("a", "b", "c", "d", "e")),
        (Plan(canaries=1, batch=3), ("a", "bcd", "e")),
        (Plan(canaries=2, batch=9), ("a", "b", "cde")),
        (Plan(canaries=9, batch=2), ("a", "b", "c", "d", "e")),
    ],
)
def test_canaries_go_alone_and_the_others_in_batches(plan: Plan, waves: tuple[str, ...]) -> None:
    assert plan.waves(HOSTS) == tuple(tuple(wave) for wave in waves)


def test_all_hosts_are_changed() -> None:
    done = roll(Plan(batch=2).waves(HOSTS), Change(), failures=0)

    assert (done.changed, done.failed, done.untouched, done.complete) == (HOSTS, {}, (), True)


def test_a_canary_that_fails_leaves_the_others_untouched() -> None:
    change = Change("a")

    done = roll(Plan(batch=4).waves(HOSTS), change, failures=0)

    assert change.seen == ["a"]
    assert (done.changed, list(done.failed), done.untouched) == ((), ["a"], ("b", "c", "d", "e"))


def test_so_many_may_fail_and_not_one_more() -> None:
    one = roll(Plan().waves(HOSTS), Change("b"), failures=1)
    two = roll(Plan().waves(HOSTS), Change("b", "c"), failures=1)

    assert (one.changed, one.untouched) == (("a", "c", "d", "e"), ())
    assert (two.changed, list(two.failed), two.untouched) == (("a",), ["b", "c"], ("d", "e"))


def test_a_wave_that_was_begun_is_finished() -> None:
    change = Change("b")

    done = roll(Plan(batch=2).waves(HOSTS), change, failures=0)

    assert sorted(change.seen) == ["a", "b", "c"]
    assert (done.changed, done.untouched) == (("a", "c"), ("d", "e"))


def test_a_canary_that_looks_bad_stops_it() -> None:
    def look(wave: object) -> None:
        raise SystemFault("it answers slowly", reason=Reason.FAILED)

    done = roll(Plan().waves(HOSTS), Change(), failures=3, after_wave=look)

    assert (done.changed, list(done.failed), done.untouched) == ((), ["a"], ("b", "c", "d", "e"))


def test_whoever_asks_to_stop_leaves_the_rest_untouched() -> None:
    change = Change()

    done = roll(Plan().waves(HOSTS), change, failures=0, stopping=lambda: len(change.seen) == 2)

    assert (done.changed, done.untouched) == (("a", "b"), ("c", "d", "e"))


def test_a_lost_lease_is_no_failure_of_a_host() -> None:
    def change(_: str) -> None:
        raise LeaseLost("another run has it")

    with pytest.raises(LeaseLost):
        roll(Plan().waves(HOSTS), change, failures=9)


def test_a_host_that_is_out_of_reach_does_not_keep_the_others_from_going_back() -> None:
    undo = Change("b")

    done = back(("a", "b", "c"), undo)

    assert undo.seen == ["c", "b", "a"]
    assert (done.changed, list(done.failed)) == (("c", "a"), ["b"])


def test_mixed_versions_are_told_as_they_are() -> None:
    old, new = Release("v1", "1" * 40), Release("v2", "2" * 40)
    gone = SystemFault("the host can't be reached", reason=Reason.UNREACHABLE)

    found = versions({"a": serving("a", new), "b": serving("b", old), "c": gone, "d": serving("d", new)})

    assert found == {new: ("a", "d"), old: ("b",), None: ("c",)}


def serving(host: str, release: Release) -> HostState:
    slots = {slot: SlotState(slot, "127.0.0.1:1", Placement(release, "run"), 1, stays=True) for slot in Slot}
    return HostState(host, Slot.BLUE, slots, (release,), 1, 1)
