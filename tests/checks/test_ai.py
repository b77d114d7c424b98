"""Whether an answer is the provider's, and whether there is anything in it."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest

from runbooks.checks.ai import content_of, duration, stood_in
from runbooks.checks.gate import ranges


def sound(frames: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * frames)
    return target.getvalue()


def test_an_answer_of_the_provider_without_a_note_is_its_own() -> None:
    assert stood_in({"provider": "google", "note": None}, "google") == ""


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        ({"provider": "echo", "note": "google_503"}, "meta.provider is 'echo', with the note 'google_503'"),
        ({"provider": "openai"}, "meta.provider is 'openai': a fallback hides a failure"),
        ({"provider": "google", "note": "google_timeout"}, "with the note 'google_timeout'"),
        (None, "does not say who made it"),
    ],
)
def test_an_answer_in_its_place_is_told(meta: Any, problem: str) -> None:
    assert problem in stood_in(meta, "google")


@pytest.mark.parametrize(
    "task",
    [
        {"type": "translate", "text": "salve", "sampleSolution": ""},
        {"type": "match", "pairs": [{"native": "", "en": "hello"}]},
    ],
)
def test_a_task_with_a_text_is_not_empty(task: dict[str, Any]) -> None:
    assert any(content_of(task))


@pytest.mark.parametrize(
    "task",
    [
        {},
        None,
        {"type": "translate", "direction": "native->en", "text": " ", "sampleSolution": ""},
        {"type": "cloze", "ref": "1.1", "text": "", "blanks": [{"surface": "\n", "idx": 0}]},
    ],
)
def test_a_task_without_one_is(task: Any) -> None:
    assert not any(content_of(task))


def test_a_sound_is_as_long_as_what_it_holds() -> None:
    assert duration(sound(4000)) == 0.5
    assert duration(sound(0)) == 0


def test_a_header_that_was_written_ahead_of_the_sound_is_not_believed() -> None:
    streamed = sound(2000).replace((4000).to_bytes(4, "little"), b"\xff\xff\xff\x7f")

    assert duration(streamed) == 0.25


@pytest.mark.parametrize("damaged", [b"", b"RIFF", b"ID3\x04 an mp3 file", sound(10)[:20]])
def test_what_is_no_wav_file_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError):
        duration(damaged)


@pytest.mark.parametrize(
    ("numbers", "words"), [([72, 73, 74], "72 to 74"), ([50, 72, 73, 74], "50 and 72 to 74"), ([12, 14], "12 and 14")]
)
def test_a_gate_says_its_items_in_words(numbers: list[int], words: str) -> None:
    assert ranges(numbers) == words
