from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.errors import Stopped
from runbooks.engine.journal import FILE_NAME, Record, read_intact
from runbooks.engine.stop import StopRequest
from tests.engine.toy_process import RUN
from tests.engine.toys import child, ended

EVERY_EFFECT = {"first": f"{RUN}\n", "counter": "1", "third": f"{RUN}\n"}
STOPPED = f"stopped: invoke runs.resume {RUN}\n"


def process(folder: Path, mode: str, **options: Any) -> tuple[int, str, str]:
    return ended(child("tests.engine.toy_process", folder, mode, json.dumps(options)))


def journal(folder: Path) -> tuple[Record, ...]:
    return read_intact(folder / "runs" / RUN / FILE_NAME)


def effects(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "effects").iterdir()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("phase", ["act", "checks"])
def test_a_signal_in_a_step_stops_the_run_which_can_be_resumed(tmp_path: Path, phase: str, number: int) -> None:
    status, output, errors = process(tmp_path, "start", stop_in=phase, signals=[number])

    assert (status, output) == (128 + number, STOPPED), errors
    assert journal(tmp_path)[-1].data["exit_code"] == 128 + number
    assert (tmp_path / "tidied").exists()

    assert process(tmp_path, "resume")[0] == 0
    assert effects(tmp_path) == EVERY_EFFECT


@pytest.mark.parametrize("record", [2, 3, 4, 6, 8, 10])
def test_a_signal_between_steps_stops_the_run_which_can_be_resumed(tmp_path: Path, record: int) -> None:
    assert process(tmp_path, "start", stop=[record, signal.SIGTERM])[0] == 143
    assert process(tmp_path, "resume")[0] == 0
    assert effects(tmp_path) == EVERY_EFFECT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_undoing_stops_it_and_a_resume_goes_on_undoing(tmp_path: Path, number: int) -> None:
    status, output, errors = process(tmp_path, "start", fail=True, stop_in="undo", signals=[number])

    assert (status, output) == (128 + number, STOPPED), errors
    assert effects(tmp_path) == {"first": f"{RUN}\n", "counter": "1"}, "the undo under way came to its end"

    assert process(tmp_path, "resume", fail=True)[0] == 6
    assert effects(tmp_path) == {}


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(tmp_path: Path, second: int) -> None:
    status, _, _ = process(tmp_path, "start", stop_in="act", signals=[signal.SIGINT, second])

    assert status == -second
    assert journal(tmp_path)[-1].kind == "intent"
    assert process(tmp_path, "resume")[0] == 0
    assert effects(tmp_path) == EVERY_EFFECT


def test_two_signals_at_the_same_moment_count_as_one(tmp_path: Path) -> None:
    status, output, errors = ended(child("tests.engine.two_signals"))

    assert (status, output) == (0, "stopping\n"), errors


def test_the_handlers_of_others_come_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stop = StopRequest()

    with stop.listening():
        signal.raise_signal(signal.SIGINT)

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert stop.event.is_set()
    with pytest.raises(Stopped, match="stopped by SIGINT") as caught:
        stop.raise_if_made()
    assert caught.value.status == 130


def test_outside_the_main_thread_it_does_not_listen() -> None:
    stop = StopRequest()

    def listen() -> None:
        with stop.listening():
            stop.raise_if_made()

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert not stop.event.is_set()
