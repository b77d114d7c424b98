"""Users' keys under a new ENCRYPTION_KEY: every row, none lost, and the way back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from runbooks.engine.errors import InputError, NeedsPerson, SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox
from runbooks.steps.reencryption import Reencryption
from runbooks.systems.postgres.reencrypt import put_back
from runbooks.systems.postgres.side_table import SideStage, found
from tests.keyrings import RUN, Keyring, filled, keyring

GO_ON = threading.Event()


@pytest.fixture
def ring(sandbox: Sandbox) -> Iterator[Keyring]:
    with keyring(sandbox) as made:
        yield made


def test_every_row_moves_to_the_new_key_those_of_deleted_users_too(ring: Keyring) -> None:
    ring.fill(35, deleted=4)
    ours = ring.reencryption()
    ours.encrypt(GO_ON)
    assert ours.encrypted()
    assert not ours.swapped()
    assert ring.values(ring.old) == filled(35)

    assert ours.swap() == "35 rows are under the new key, 0 of them written since the batches"

    assert ours.swapped()
    assert ring.values(ring.new) == filled(35)
    assert ours.forget()
    assert (ours.stage(), ours.forget()) == (None, False)
    assert ring.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'runbooks'") == [(0,)]


def test_each_effect_can_be_called_twice(ring: Keyring) -> None:
    ring.fill(12)
    ours = ring.reencryption()
    for _ in range(2):
        ours.encrypt(GO_ON)
    ours.swap()
    assert ours.swap() == "the rows were under the new key already"
    assert ours.swap_back() == "12 rows are under the old key again"
    assert ours.swap_back() == "the rows are under the old key"
    assert ring.values(ring.old) == filled(12)
    assert ring.execute("SELECT count(*) FROM user_api_config WHERE updated_at <> created_at") == [(0,)]


def test_rows_written_changed_and_deleted_after_the_batches_are_right_both_ways(ring: Keyring) -> None:
    ring.fill(25)
    ours = ring.reencryption()
    ours.encrypt(GO_ON)
    ring.save(3, "changed-before-swap", ring.old, "openai")
    ring.save(4, "added-before-swap", ring.old)
    ring.execute("DELETE FROM user_api_config WHERE user_id = 5")
    assert ours.swap() == "25 rows are under the new key, 2 of them written since the batches"
    expected = filled(25) | {(3, "openai"): "changed-before-swap", (4, "google"): "added-before-swap"}
    del expected[5, "openai"]
    assert ring.values(ring.new) == expected

    ring.save(6, "changed-after-swap", ring.new, "openai")
    ring.save(7, "added-after-swap", ring.new)
    ring.execute("DELETE FROM user_api_config WHERE user_id = 8")
    ours.swap_back()
    expected |= {(6, "openai"): "changed-after-swap", (7, "google"): "added-after-swap"}
    del expected[8, "openai"]
    assert ring.values(ring.old) == expected

    ours.swap()
    assert ring.values(ring.new) == expected


def test_rows_that_open_with_the_new_key_already_are_kept_and_go_back_too(ring: Keyring) -> None:
    ring.fill(12)
    ring.save(2, "by-hand-before", ring.new, "openai")
    ours = ring.reencryption()
    survey = ours.refuse_strange()
    assert (survey.old, survey.new, survey.neither) == (11, 1, [])
    ours.encrypt(GO_ON)
    ring.save(3, "by-hand-meanwhile", ring.new, "openai")
    ours.swap()
    expected = filled(12) | {(2, "openai"): "by-hand-before", (3, "openai"): "by-hand-meanwhile"}
    assert ring.values(ring.new) == expected
    ours.swap_back()
    assert ring.values(ring.old) == expected


def test_a_row_that_opens_with_neither_key_stops_it_by_number_and_id_never_by_value(ring: Keyring) -> None:
    ring.fill(25)
    stranger = Keyring.at(ring.url)
    for user in (13, 14):
        ring.save(user, "lost", stranger.old, "openai")
    ours = ring.reencryption()
    token = str(ring.execute("SELECT encrypted_api_key FROM user_api_config WHERE user_id = 13")[0][0])

    for refused in (ours.refuse_strange, lambda: ours.encrypt(GO_ON), lambda: ours.encrypt(GO_ON), ours.swap):
        with pytest.raises(NeedsPerson, match="2 rows can be opened neither with the old key nor") as caught:
            refused()
        assert "id 13, 14" in str(caught.value)
        assert token not in str(caught.value)
    assert not ours.encrypted()
    assert ring.values(ring.old) == filled(25) | {(13, "openai"): "!", (14, "openai"): "!"}

    ring.execute("DELETE FROM user_api_config WHERE user_id IN (13, 14)")
    ours.encrypt(GO_ON)
    ours.swap()
    assert "!" not in ring.values(ring.new).values()


def test_a_stop_is_heard_between_two_batches_and_what_is_done_stays_done(ring: Keyring) -> None:
    ring.fill(50)
    ours, stopping, said = ring.reencryption(), threading.Event(), []

    def hear(what: str) -> None:
        said.append(what)
        if len(said) == 2:
            stopping.set()

    with pytest.raises(SystemFault, match="stopped between two batches"):
        ours.encrypt(stopping, hear)
    assert ring.execute(f"SELECT count(*) FROM {ours.side}") == [(20,)]
    ours.encrypt(GO_ON, said.append)
    assert said[2:] == [f"encrypted batch {number} of 3" for number in (1, 2, 3)]
    assert ours.encrypted()


def test_several_processes_encrypt_at_once(ring: Keyring) -> None:
    ring.fill(60)
    ring.save(60, "late", ring.old)
    ours = ring.reencryption(jobs=2)
    ours.encrypt(GO_ON)
    ours.swap()

    assert ring.values(ring.new) == filled(60) | {(60, "google"): "late"}


def test_a_row_that_neither_key_opens_is_told_by_a_process_too(ring: Keyring) -> None:
    ring.fill(30)
    ring.save(21, "lost", Keyring.at(ring.url).old, "openai")

    with pytest.raises(NeedsPerson, match="1 row can be opened neither"):
        ring.reencryption(jobs=2).encrypt(GO_ON)


def test_rows_under_several_older_keys_are_told_to_processes_and_put_back_byte_for_byte(ring: Keyring) -> None:
    older = Keyring.at(ring.url).old
    ring.fill(40)
    ring.save(7, "older", older, "openai")
    before = ring.execute("SELECT id, encrypted_api_key FROM user_api_config ORDER BY id")
    old, new = Secret("OLD", ring.old), Secret("NEW", ring.new)
    made = Reencryption.of(ring.access, RUN, old, new, Secret("OLDER", older))
    ours = replace(made, jobs=2, batch=10)
    ours.encrypt(GO_ON)
    ours.swap()
    assert ring.values(ring.new) == filled(40) | {(7, "openai"): "older"}
    ring.save(9, "late", ring.new, "openai")

    with ring.access.connection() as connection:
        assert [put_back(connection, ours.side) for _ in range(2)] == [39, 0]

    after = ring.execute("SELECT id, encrypted_api_key FROM user_api_config ORDER BY id")
    assert [row for row in after if row not in before] == [row for row in after if row[0] == 9]
    assert ring.values(ring.new)[9, "openai"] == "late", "what was written since stays"
    assert ours.stage() is None


def test_nothing_is_put_back_that_was_not_swapped(ring: Keyring) -> None:
    ring.fill(12)
    ours = ring.reencryption()
    ours.encrypt(GO_ON)

    with ring.access.connection() as connection:
        assert put_back(connection, ours.side) == 0

    assert ring.values(ring.old) == filled(12)
    assert ours.stage() is None


def test_writers_that_do_not_end_make_the_swap_give_up_and_change_nothing(
    ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbooks.systems.postgres.reencrypt.LOCK_TIMEOUT", "200ms")
    ring.fill(5)
    ours = ring.reencryption()
    ours.encrypt(GO_ON)
    with psycopg.connect(ring.url) as writer:
        writer.execute("UPDATE user_api_config SET meta = '{}' WHERE user_id = 1")
        with pytest.raises(SystemFault, match="lock timeout"):
            ours.swap()
        writer.commit()
    assert not ours.swapped()
    assert ring.values(ring.old) == filled(5)


TRIGGER = """CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.encrypted_api_key := OLD.encrypted_api_key; RETURN NEW; END $$;
CREATE TRIGGER meddle BEFORE UPDATE ON user_api_config FOR EACH ROW EXECUTE FUNCTION meddle()"""
RULE = "CREATE RULE meddle AS ON UPDATE TO user_api_config WHERE OLD.id = 2 DO INSTEAD NOTHING"


@pytest.mark.parametrize("meddling", [TRIGGER, RULE], ids=["a trigger", "a rule"])
def test_what_makes_something_else_of_the_rows_is_noticed_and_nothing_is_changed(ring: Keyring, meddling: str) -> None:
    ring.fill(5)
    ours = ring.reencryption()
    ours.encrypt(GO_ON)
    ring.execute(meddling)

    with pytest.raises(SystemFault, match="not what was just written"):
        ours.swap()

    assert ring.values(ring.old) == filled(5)
    assert ours.stage() is SideStage.BUILDING


def test_readers_never_wait_for_the_swap(ring: Keyring) -> None:
    ring.fill(5)
    ours = ring.reencryption()
    ours.encrypt(GO_ON)
    seen: list[dict[tuple[int, str], str]] = []

    ours.swap(lambda what: seen.append(ring.values(ring.old)) if "proven" in what else None)

    assert seen == [filled(5)]
    assert ring.values(ring.new) == filled(5)


def test_a_side_table_that_was_left_behind_is_found_with_its_run(ring: Keyring) -> None:
    ring.fill(5)
    ours = ring.reencryption()
    with ring.access.connection() as connection:
        assert list(found(connection)) == []
        ours.encrypt(GO_ON)
        assert [(side.run, str(side.column), stage) for side, stage in found(connection)] == [
            (RUN, "public.user_api_config.encrypted_api_key", SideStage.BUILDING)
        ]
        ours.swap()
        assert [stage for _, stage in found(connection)] == [SideStage.SWAPPED]


def test_two_runs_can_have_side_tables_at_once(ring: Keyring) -> None:
    ring.fill(5)
    one, other = ring.reencryption(), replace(ring.reencryption(), run="20261128T091500.000Z-secrets.rotate-x1y2")
    for each in (one, other):
        each.encrypt(GO_ON)
    one.swap()
    assert one.forget()
    assert other.encrypted()
    assert other.forget()


def test_an_empty_table_is_rotated_in_a_moment(ring: Keyring) -> None:
    ours = ring.reencryption()
    with pytest.raises(SystemFault, match="have not been encrypted anew by this run"):
        ours.swap()
    ours.encrypt(GO_ON)
    assert ours.encrypted()
    assert ours.swap().startswith("0 rows")
    assert ours.swapped()


def test_two_keys_in_one_are_refused_before_anything_is_asked(ring: Keyring) -> None:
    old, both = Secret("ENCRYPTION_KEY", ring.old), Secret("ENCRYPTION_KEY", f"{ring.new},{ring.old}")
    with pytest.raises(InputError, match="not exactly one Fernet key"):
        Reencryption.of(ring.access, RUN, old, both)


def test_processes_end_when_the_one_that_started_them_is_killed_and_no_secret_is_seen_of_them(ring: Keyring) -> None:
    ring.fill(400)
    program = (
        "import json, sys, threading\n"
        "from tests.keyrings import Keyring\n"
        "url, old, new = json.loads(sys.stdin.readline())\n"
        "print('ready', flush=True)\n"
        "def said(what): print(what, flush=True); sys.stdin.readline()\n"
        "Keyring(url, old, new).reencryption(jobs=2).encrypt(threading.Event(), said)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps([ring.url, ring.old, ring.new]) + "\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == "ready\n"
        assert parent.stdout.readline().startswith("encrypted batch")
        children = _children(parent.pid)
        assert len(children) == 2
        told = b"".join(_read(f"/proc/{child}/{what}") for child in children for what in ("cmdline", "environ"))
        for secret in (ring.old, ring.new, ring.access.parameters()["password"]):
            assert str(secret).encode() not in told
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{child}") for child in children):
        assert time.monotonic() < deadline, "a process outlived the one that had started it"
        time.sleep(0.02)

    ours = ring.reencryption()
    ours.encrypt(GO_ON)
    ours.swap()
    assert ring.values(ring.new) == filled(400)


def _children(pid: int) -> list[int]:
    text = _read(f"/proc/{pid}/task/{pid}/children").decode()
    others = [_read(f"/proc/{pid}/task/{task}/children").decode() for task in os.listdir(f"/proc/{pid}/task")]
    return sorted({int(child) for child in " ".join([text, *others]).split()})


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
