"""The reader, asked for content that is known to be there: an empty answer is no answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from runbooks.checks.declare import check
from runbooks.checks.journey import within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed
from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import Answer

EMPTY = "see verification.seed-data, then the application's log"
CONTENT = "if this content is not meant to be there, declare [content] in the inventory"


@check("reader.search", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application")
def search(subject: Subject) -> Finding:
    content = subject.environment.content
    expected = f"a search for {content.search_word} finds {content.text_title}"
    answer = _get(subject, "/search", q=content.search_word)
    if answer.status != 200:
        return failed(expected, f"HTTP {answer.status}", "see the application's log")
    found = _list(answer, "text_results")
    titles = {str(entry.get("work_title")) for entry in found}
    if not found:
        total = answer.object().get("total_results")
        return failed(expected, f"no text is found, {total} results in all", EMPTY)
    if content.text_title not in titles:
        return failed(expected, f"found: {', '.join(sorted(titles))[:120]}", CONTENT)
    return passed(expected, f"found, among {len(found)} passages")


@check("reader.text", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application")
def text(subject: Subject) -> Finding:
    content = subject.environment.content
    expected = f"{content.text_title} begins with {content.text_begins}, and its segments come whole and in order"
    listed = _get(subject, "/reader/texts", language=content.text_language)
    texts = [entry for entry in _list(listed, "texts") if entry.get("title") == content.text_title]
    if not texts:
        return failed(expected, f"no text of that title in {content.text_language}: HTTP {listed.status}", EMPTY)
    work = texts[0]
    structure = _get(subject, f"/reader/texts/{work['id']}/structure").object().get("structure")
    first, last, count = _extent(structure, listed)
    segments = _list(_get(subject, f"/reader/texts/{work['id']}/segments", ref_start=first, ref_end=last), "segments")
    problem = _incomplete(segments, first, last, count)
    if problem:
        return failed(expected, problem, EMPTY)
    if not _nfc(str(segments[0]["text"])).startswith(_nfc(content.text_begins)):
        return failed(expected, f"it begins with {str(segments[0]['text'])[:40]!r}", CONTENT)
    return passed(expected, f"{count} segments, {first} to {last}")


@check("reader.morphology", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application")
def morphology(subject: Subject) -> Finding:
    content = subject.environment.content
    expected = f"the lemma of {content.form} is {content.lemma}"
    body = {"text": content.form, "language": content.text_language}
    answer = within_limits(subject.site.application.post("/reader/analyze", json=body))
    if answer.status != 200:
        return failed(expected, f"HTTP {answer.status}", "see the application's log")
    lemmas = [token.get("lemma") for token in _list(answer, "tokens")]
    if not any(lemmas):
        return failed(expected, "no lemma at all", "see the application's log, and the versions of its analysers")
    if _nfc(str(lemmas[0])) != _nfc(content.lemma):
        return failed(expected, f"the lemma is {lemmas[0]}", CONTENT)
    return passed(expected, f"the lemma is {lemmas[0]}")


@check("reader.vocabulary", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application")
def vocabulary(subject: Subject) -> Finding:
    content = subject.environment.content
    expected = f"{content.vocabulary_word} means {content.vocabulary_gloss}"
    answer = _get(
        subject, "/vocabulary/search", q=content.vocabulary_word, language_code=content.vocabulary_language, limit="5"
    )
    if answer.status != 200:
        return failed(expected, f"HTTP {answer.status}", "see the application's log")
    glosses = [
        str(item.get("translation"))
        for item in _list(answer, "items")
        if _nfc(str(item.get("text"))) == _nfc(content.vocabulary_word)
    ]
    if not glosses:
        return failed(expected, "the word is not found", EMPTY)
    if not any(content.vocabulary_gloss in gloss for gloss in glosses):
        return failed(expected, f"it means {'; '.join(glosses)[:120]}", CONTENT)
    return passed(expected, f"it means {glosses[0][:120]}")


def _extent(structure: Any, answer: Answer) -> tuple[str, str, int]:
    """First and last reference of the text's first division, and how many segments that holds."""
    try:
        if structure["books"]:
            book = structure["books"][0]
            return f"{book['book']}.{book['first_line']}", f"{book['book']}.{book['last_line']}", book["line_count"]
        chapter = structure["chapters"][0]
        return chapter["first_ref"], chapter["last_ref"], chapter["segment_count"]
    except (KeyError, TypeError, IndexError) as error:
        what = "the text's structure names neither books nor chapters"
        raise SystemFault(what, reason=Reason.BAD_ANSWER, where=f"{answer.url}") from error


def _incomplete(segments: Sequence[Any], first: str, last: str, count: int) -> str:
    """What is missing from the segments, or out of order; or nothing."""
    if not segments:
        return f"no segment from {first} to {last}"
    refs = [str(segment.get("ref")) for segment in segments]
    if len(refs) != count:
        return f"truncated: {len(refs)} of {count} segments from {first} to {last}"
    if (refs[0], refs[-1]) != (first, last) or refs != sorted(refs, key=_place):
        return f"out of order: {', '.join(refs)[:120]}"
    empty = [ref for ref, segment in zip(refs, segments, strict=True) if not str(segment.get("text") or "").strip()]
    return f"without a text: {', '.join(empty)[:120]}" if empty else ""


def _place(ref: str) -> list[int]:
    return [int(part) if part.isdecimal() else 0 for part in ref.split(".")]


def _get(subject: Subject, path: str, **query: str) -> Answer:
    return within_limits(subject.site.application.get(f"{path}?{urlencode(query)}" if query else path))


def _list(answer: Answer, name: str) -> list[dict[str, Any]]:
    entries = answer.object().get(name)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
