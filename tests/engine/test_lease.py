from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine import lease
from runbooks.engine.errors import InputError, LeaseHeld, LeaseLost, Reason, SystemFault
from runbooks.engine.lease import NAME, Keeper, Lease, acquire, break_lease, read, release
from runbooks.engine.run import perform
from runbooks.engine.store import Stored
from runbooks.engine.wait import until
from runbooks.systems.store.folder import FolderStore
from tests.engine.toys import Effect, child, ended, run_of

SHORT = timedelta(seconds=0.3)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def now_held(store: FolderStore) -> Lease:
    current, _ = read(store)
    assert current is not None
    return current


def put(store: FolderStore, held: Lease) -> None:
    stored = store.get(NAME)
    assert store.put(NAME, json.dumps(asdict(held)).encode(), replaces=stored.version if stored else None)


def expired(held: Lease) -> Lease:
    return replace(held, expires=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())


def test_the_second_of_two_is_told_who_was_first(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOKS_OPERATOR", "ada@atelier")
    acquire(store, run="run-1", reason="a new release")

    with pytest.raises(LeaseHeld, match="another run is changing this environment") as caught:
        acquire(store, run="run-2", reason="me too")

    assert caught.value.exit_code == 5
    assert "ada@atelier" in caught.value.found
    assert "a new release (run run-1" in caught.value.found
    assert "invoke lease.break" in caught.value.mend


def test_of_two_processes_that_race_one_wins(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / str(number)
        racers = [child("tests.engine.lease_racer", folder, name) for name in "ab"]
        for racer in racers:
            assert racer.stdout
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
        outcomes = {"a": racers[0], "b": racers[1]}
        said = {name: racer.stdout.readline() for name, racer in outcomes.items() if racer.stdout}
        assert sorted(said.values()) == ["held\n", "won\n"], said
        winner = next(name for name, word in said.items() if word == "won\n")
        assert now_held(FolderStore(folder)).run == winner
        for racer in racers:
            ended(racer)


def test_a_lease_that_was_given_back_is_free_and_its_token_grows(store: FolderStore) -> None:
    first = acquire(store, run="run-1", reason="x")
    release(store, first)
    second = acquire(store, run="run-2", reason="y")

    assert (first.token, second.token) == (1, 2)


def test_an_expired_lease_is_taken_over_with_a_higher_token(store: FolderStore) -> None:
    first = acquire(store, run="run-1", reason="x")
    put(store, expired(first))
    second = acquire(store, run="run-2", reason="y")

    assert second.token == first.token + 1
    with pytest.raises(LeaseLost, match="no longer ours") as caught:
        Keeper(store, first).confirm()
    assert "run-2" in caught.value.found


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(tmp_path: Path) -> None:
    racer = child("tests.engine.lease_racer", tmp_path, "dead")
    ended(racer_that_went(racer))

    assert acquire(FolderStore(tmp_path), run="run-2", reason="y").token == 2


def racer_that_went(racer: Any) -> Any:
    racer.stdin.write("go\n")
    return racer


def test_a_process_with_a_reused_number_is_another_one(store: FolderStore) -> None:
    first = acquire(store, run="run-1", reason="x")
    assert not first.holder_gone
    assert replace(first, process=f"{os.getpid()}@1").holder_gone


@pytest.mark.parametrize("host", ["another-machine", "{name}/another-boot/pid:[1]"])
def test_nothing_is_concluded_about_processes_of_other_machines_or_containers(store: FolderStore, host: str) -> None:
    first = acquire(store, run="run-1", reason="x")
    put(store, replace(first, host=host.format(name=first.host.split("/")[0]), process="1@1"))

    with pytest.raises(LeaseHeld):
        acquire(store, run="run-2", reason="y")


def test_a_living_holder_renews_it(store: FolderStore) -> None:
    held = acquire(store, run="run-1", reason="x", lifetime=SHORT)

    with Keeper(store, held, SHORT).held() as confirm:
        until(lambda: now_held(store).expires > held.expires, seconds=10, what="it was not renewed")
        confirm()

    assert now_held(store).run == ""


def test_confirming_renews_a_lease_that_would_not_last(store: FolderStore) -> None:
    held = acquire(store, run="run-1", reason="x")
    put(store, expired(held))

    Keeper(store, held).confirm()

    assert not now_held(store).expired
    with pytest.raises(LeaseHeld):
        acquire(store, run="run-2", reason="y")


def test_a_broken_lease_ends_the_run_before_its_next_effect(store: FolderStore, tmp_path: Path) -> None:
    held = acquire(store, run="run-1", reason="x")
    one, two = Effect("one"), Effect("two")

    def act(tools: Any, scope: Any) -> str:
        break_lease(store, reason="she went home")
        return one.make(tools, scope)

    keeper = Keeper(store, held)
    ending = perform(run_of(tmp_path / "run", one.step(act=act), two.step(), confirm_lease=keeper.confirm))

    assert ending.exit_code == 7
    assert "she went home" in str(ending.error)
    assert (one.there, two.there) == (True, False)


def test_a_late_holder_neither_frees_nor_renews_what_is_somebody_elses(store: FolderStore) -> None:
    first = acquire(store, run="run-1", reason="x", lifetime=SHORT)
    keeper = Keeper(store, first, SHORT)
    put(store, expired(first))
    second = acquire(store, run="run-2", reason="y")

    with keeper.held():
        over = threading.Event()
        over.wait(0.25)
    release(store, first)

    assert now_held(store) == second


def test_a_renewal_on_its_way_does_not_keep_the_lease_from_being_given_back(store: FolderStore) -> None:
    held = acquire(store, run="run-1", reason="x")

    class Racing(FolderStore):
        renewals = 0

        def put(self, name: str, body: bytes, *, replaces: str | None) -> str | None:
            if self.renewals == 0:
                self.renewals = 1
                later = replace(held, expires=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
                put(store, later)
            return super().put(name, body, replaces=replaces)

    release(Racing(store.folder), held)

    assert now_held(store).run == ""


class Silent(FolderStore):
    """A store that can be asked until it is told to be silent."""

    silent = False

    def get(self, name: str) -> Stored | None:
        if self.silent:
            raise SystemFault("the store can't be used", reason=Reason.UNREACHABLE)
        return super().get(name)


def test_the_error_of_the_block_goes_before_one_in_giving_back(tmp_path: Path) -> None:
    store = Silent(tmp_path)
    held = acquire(store, run="run-1", reason="x")

    def work() -> None:
        with Keeper(store, held).held():
            store.silent = True
            raise NotImplementedError("the block's own")

    with pytest.raises(NotImplementedError):
        work()


def test_a_store_that_can_not_take_the_lease_back_is_no_error_of_the_run(tmp_path: Path) -> None:
    store = Silent(tmp_path)
    with Keeper(store, acquire(store, run="run-1", reason="x")).held():
        store.silent = True


def test_a_silent_store_means_lost_only_once_the_lease_has_run_out(tmp_path: Path) -> None:
    store = Silent(tmp_path)
    keeper = Keeper(store, acquire(store, run="run-1", reason="x"))
    spent = Keeper(store, keeper.lease, timedelta())
    store.silent = True

    with pytest.raises(SystemFault):
        keeper.confirm()
    with pytest.raises(LeaseLost, match="it has run out, and the store can't be asked"):
        spent.confirm()


DAMAGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "not JSON": lambda _: b"{",
    "not UTF-8": lambda _: b"\xff",
    "a list": lambda _: [],
    "a field too few": lambda fields: {name: value for name, value in fields.items() if name != "expires"},
    "a field too many": lambda fields: {**fields, "extra": 1},
    "no date": lambda fields: {**fields, "expires": "tomorrow"},
    "a date without a zone": lambda fields: {**fields, "expires": "2026-11-23T00:00:00"},
    "a token that is no number": lambda fields: {**fields, "token": "1"},
    "a process that is none": lambda fields: {**fields, "process": "init"},
    "a run that is none": lambda fields: {**fields, "run": None},
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_lease_is_refused_and_named(store: FolderStore, damage: str) -> None:
    held = acquire(store, run="run-1", reason="x")
    body = DAMAGED[damage](asdict(held))
    (store.folder / NAME).write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())

    with pytest.raises(InputError, match="the lease can't be read") as caught:
        acquire(store, run="run-2", reason="y")
    assert str(store.folder) in caught.value.where
    with pytest.raises(InputError, match="the lease can't be read"):
        break_lease(store, reason="z")
    with pytest.raises(LeaseLost):
        Keeper(store, held).confirm()


def test_breaking_needs_a_reason_and_a_holder(store: FolderStore) -> None:
    with pytest.raises(InputError, match="nobody holds the lease"):
        break_lease(store, reason="because")
    held = acquire(store, run="run-1", reason="x")
    with pytest.raises(InputError, match="needs a reason"):
        break_lease(store, reason="  ")
    assert now_held(store) == held

    assert break_lease(store, reason="asked Ada") == held
    assert now_held(store).token == held.token + 1
    assert "asked Ada" in now_held(store).broken


def test_whoever_is_gone_can_not_be_identified() -> None:
    racer = child("tests.engine.lease_racer", "/nonexistent", "x")
    alive = lease.process_identity(racer.pid)
    assert alive.split("@")[1]

    racer.kill()
    racer.communicate()
    assert lease.process_identity(racer.pid) != alive


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread for thread in threading.enumerate() if thread.name == "lease"] == []
