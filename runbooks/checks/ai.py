"""Lessons, conversation and speech: made by the provider that was asked, and nobody else.

The application can answer in a provider's place without saying so in a status code, so each answer is read: who
made it, whether it carries a note, and whether there is anything in it.
"""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterator, Mapping
from typing import Any

from runbooks.checks.declare import SiteCheck, check
from runbooks.checks.gate import gate
from runbooks.checks.health import PROVIDERS
from runbooks.checks.journey import within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, skipped
from runbooks.systems.http.client import Answer

SECONDS = 60.0
"""Time limit of a check: a language model takes its time."""

ANSWER_SECONDS = 50.0
PROMPT = "Salve! Quid agis hodie?"
QUESTION = "When is the ablative absolute used?"
SPOKEN = "Arma virumque cano"
LOG = "see health.providers, then the application's log"
NOT_CONTENT = ("type", "direction", "source_kind", "ref", "idx")


def lesson_request(subject: Subject, provider: str) -> dict[str, Any]:
    """What is sent to ``/lesson/generate`` for one task."""
    return {
        "language": subject.environment.content.languages[0],
        "profile": "beginner",
        "sources": ["daily"],
        "exercise_types": ["translate"],
        "task_count": 1,
        "provider": provider,
    }


def stood_in(meta: Any, provider: str) -> str:
    """Who answered in the provider's place, or what note the answer carries; or nothing."""
    if not isinstance(meta, Mapping):
        return "the answer does not say who made it"
    if meta.get("provider") != provider:
        note = f", with the note {meta['note']!r}" if meta.get("note") else ""
        return f"HTTP 200, but meta.provider is {meta.get('provider')!r}{note}: a fallback hides a failure"
    if meta.get("note"):
        return f"HTTP 200, but with the note {meta['note']!r}"
    return ""


def canned(subject: Subject) -> str:
    """Why lessons of this environment would prove nothing, or nothing."""
    fake = subject.site.variable("BYOK_FAKE")
    if fake and fake.strip().lower() not in ("0", "false", "no", "off"):
        return f"BYOK_FAKE is {fake!r}: lessons are canned and labelled as the provider's"
    return ""


def content_of(task: Any, name: str = "") -> Iterator[str]:
    """The texts of a task that a learner would see and that are not blank."""
    if isinstance(task, Mapping):
        for key, value in task.items():
            yield from content_of(value, str(key))
    elif isinstance(task, list):
        for value in task:
            yield from content_of(value, name)
    elif isinstance(task, str) and name not in NOT_CONTENT and task.strip():
        yield task


def duration(sound: bytes) -> float:
    """How many seconds a WAV file really holds; a header that was written ahead of the sound may say anything.

    Raises:
        ValueError: it is no WAV file.
    """
    try:
        with wave.open(io.BytesIO(sound)) as file:
            frame = file.getnchannels() * file.getsampwidth()
            held = min(file.getnframes(), (len(sound) - sound.index(b"data") - 8) // frame)
            return float(held / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        raise ValueError(str(error)) from error


def _lessons(provider: str) -> SiteCheck:
    variable = PROVIDERS[provider]

    @check(
        f"ai.lessons-{provider}",
        severity=Severity.MAJOR,
        evidence=Evidence.PROBE,
        target="application",
        seconds=SECONDS,
        spends=1,
    )
    def lessons(subject: Subject) -> Finding:
        expected = f"a lesson of one task with content, made by {provider} and not in its place"
        if why := _not_applicable(subject, "LESSONS_ENABLED", variable):
            return skipped(expected, why)
        if problem := canned(subject):
            return failed(expected, problem, "unset BYOK_FAKE")
        body = lesson_request(subject, provider)
        answer = within_limits(subject.site.application.post("/lesson/generate", json=body, seconds=ANSWER_SECONDS))
        if problem := _lesson_problem(answer, provider):
            return failed(expected, problem, LOG)
        lesson = answer.object()
        kinds = ", ".join(str(task.get("type")) for task in lesson["tasks"])
        return passed(expected, f"a task of type {kinds}, model {lesson['meta'].get('model')}")

    return lessons


openai = _lessons("openai")
anthropic = _lessons("anthropic")
google = _lessons("google")

lessons = gate(
    "ai.lessons",
    over=("ai.lessons-openai", "ai.lessons-anthropic", "ai.lessons-google"),
    numbers=range(72, 75),
    severity=Severity.MAJOR,
    phase=Phase.LIVE,
)


@check("ai.chat", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application", seconds=SECONDS, spends=1)
def chat(subject: Subject) -> Finding:
    provider = _configured(subject)
    expected = f"a reply by {provider or 'a provider'} that is not the message itself"
    if provider is None:
        return skipped(expected, "no provider's API key is set")
    body = {"message": PROMPT, "persona": "roman_senator", "provider": provider}
    answer = subject.journey.visit("/chat/converse", body, seconds=ANSWER_SECONDS)
    if answer.status != 200:
        return failed(expected, _refused(answer), LOG)
    said = answer.object()
    if problem := stood_in(said.get("meta"), provider) or _no_reply(said.get("reply"), PROMPT):
        return failed(expected, problem, LOG)
    return passed(expected, f"{len(str(said['reply']))} characters, model {said['meta'].get('model')}")


@check("ai.coach", severity=Severity.MINOR, evidence=Evidence.PROBE, target="application", seconds=SECONDS, spends=1)
def coach(subject: Subject) -> Finding:
    expected = "an answer by openai that is not the question itself"
    if why := _not_applicable(subject, "COACH_ENABLED", PROVIDERS["openai"]):
        return skipped(expected, why)
    answer = subject.journey.visit("/coach/chat", {"q": QUESTION, "provider": "openai"}, seconds=ANSWER_SECONDS)
    if answer.status != 200:
        return failed(expected, _refused(answer), LOG)
    said = answer.object()
    usage = said.get("usage") or {}
    # Who answered is told only where this is set.
    problem = stood_in(usage, "openai") if usage.get("provider") else ""
    if problem := problem or _no_reply(said.get("answer"), QUESTION):
        return failed(expected, problem, LOG)
    return passed(expected, f"{len(str(said['answer']))} characters")


@check("ai.tts", severity=Severity.MINOR, evidence=Evidence.PROBE, target="application", seconds=SECONDS, spends=1)
def tts(subject: Subject) -> Finding:
    provider = next((name for name in ("openai", "google") if subject.variables.get(PROVIDERS[name])), None)
    expected = f"a WAV file with sound, made by {provider or 'a provider'}"
    if provider is None or (why := _not_applicable(subject, "TTS_ENABLED", PROVIDERS[provider])):
        return skipped(expected, "no provider's API key is set" if provider is None else why)
    body = {"text": SPOKEN, "provider": provider, "format": "wav"}
    answer = subject.journey.visit("/tts/speak", body, seconds=ANSWER_SECONDS)
    if answer.status != 200:
        return failed(expected, _refused(answer), LOG)
    said = answer.object()
    if problem := stood_in(said.get("meta"), provider):
        return failed(expected, problem, LOG)
    audio = said.get("audio")
    try:
        sound = base64.b64decode(str(audio.get("b64") if isinstance(audio, Mapping) else ""), validate=True)
        seconds = duration(sound)
    except ValueError as error:
        return failed(expected, f"what came is no WAV file: {error}", LOG)
    found = f"{seconds:.1f} s of sound in {len(sound)} bytes"
    return passed(expected, found) if seconds > 0 else failed(expected, found, LOG)


def _lesson_problem(answer: Answer, provider: str) -> str:
    if answer.status != 200:
        return _refused(answer)
    lesson = answer.object()
    if problem := stood_in(lesson.get("meta"), provider):
        return problem
    tasks = lesson.get("tasks")
    if not isinstance(tasks, list) or not tasks:
        return "HTTP 200, but the lesson has no task"
    return "" if all(any(content_of(task)) for task in tasks) else "HTTP 200, but a task is empty"


def _not_applicable(subject: Subject, flag: str, key: str) -> str:
    """Why nothing is asked, or nothing."""
    if not subject.site.flag(flag, default=True):
        return f"{flag} is false"
    return "" if subject.variables.get(key) else f"{key} is not set"


def _configured(subject: Subject) -> str | None:
    """The first provider that the server has a key of."""
    return next((name for name, variable in PROVIDERS.items() if subject.variables.get(variable)), None)


def _no_reply(reply: Any, prompt: str) -> str:
    if not isinstance(reply, str) or not reply.strip():
        return "HTTP 200, but the reply is empty"
    return f"the reply repeats the message: {reply[:60]!r}" if prompt in reply else ""


def _refused(answer: Answer) -> str:
    return f"HTTP {answer.status}, {answer.beginning()}"
