"""What the stand-in's language model says: short, sensible, made of what it was given."""

from __future__ import annotations

import json
from itertools import cycle, islice
from typing import Any

GREEK_REPLY = {
    "reply": "Χαῖρε, ὦ φίλε· τί βούλει;",
    "translation_help": "Greetings, friend: what do you want?",
    "grammar_notes": ["ὦ with the vocative addresses someone."],
}
LATIN_REPLY = {
    "reply": "Salve, amice! Quid quaeris?",
    "translation_help": "Hello, friend! What are you looking for?",
    "grammar_notes": ["amice is the vocative of amicus."],
}
COACHING = "Look at the ending first: it tells case and number, and with them the word's part in the sentence."


def answer_text(messages: list[dict[str, Any]]) -> str:
    """The answer to a conversation. The instructions say which of three kinds is wanted."""
    instructions = " ".join(_content(m) for m in messages if m["role"] in {"system", "developer"})
    if '"tasks"' in instructions:
        return _lesson(_content(messages[-1]))
    if '"reply"' in instructions:
        reply = LATIN_REPLY if "Latin" in instructions else GREEK_REPLY
        return json.dumps(reply, ensure_ascii=False)
    return COACHING


def _content(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def _lesson(question: str) -> str:
    wanted = json.loads(question)
    words, lines = wanted["words"], wanted["lines"]
    builders = {
        "match": lambda position: _match(words, position),
        "translate": lambda position: _translate(words, position),
        "cloze": lambda position: _cloze(lines, position),
        "multiplechoice": lambda position: _choice(words, position),
    }
    kinds = islice(cycle(wanted["exercise_types"]), wanted["task_count"])
    tasks = [builders[kind](position) for position, kind in enumerate(kinds)]
    return json.dumps({"tasks": tasks}, ensure_ascii=False)


def _match(words: list[dict[str, str]], position: int) -> dict[str, Any]:
    return {"type": "match", "pairs": [words[(position + step) % len(words)] for step in range(3)]}


def _translate(words: list[dict[str, str]], position: int) -> dict[str, Any]:
    word = words[position % len(words)]
    return {
        "type": "translate",
        "direction": "native->en",
        "text": word["native"],
        "sampleSolution": word["en"],
    }


def _cloze(lines: list[dict[str, str]], position: int) -> dict[str, Any]:
    line = lines[position % len(lines)]
    first, _, rest = line["text"].partition(" ")
    return {
        "type": "cloze",
        "source_kind": "canon",
        "ref": line["ref"],
        "text": f"____ {rest}",
        "blanks": [{"surface": first, "idx": 0}],
    }


def _choice(words: list[dict[str, str]], position: int) -> dict[str, Any]:
    options = [words[(position + step) % len(words)] for step in range(3)]
    return {
        "type": "multiplechoice",
        "question": f"What does {options[0]['native']} mean?",
        "options": [option["en"] for option in options],
        "answer_index": 0,
    }
