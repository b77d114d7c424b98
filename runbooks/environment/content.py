"""What a working reader must know: a word of each kind, and how much there is at least."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from runbooks.environment.problem import Problem, dotted


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How many rows each of the content's tables holds at least; 0: it need not be looked at."""

    text_work: int = 1
    text_segment: int = 1
    token: int = 1
    lexeme: int = 1
    grammar_topic: int = 1
    generated_vocabulary: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content that the application is seeded with. The defaults are true of PRAVIEL's own seed.

    Attributes:
        languages: Codes of the languages that must have texts.
        text_language: The language of the text, the search and the form.
        text_title: A text that is there.
        text_begins: How its first segment begins.
        search_word: A word of that text.
        form: An inflected form of that language.
        lemma: Its lemma.
        vocabulary_language: The language of the word.
        vocabulary_word: A word of the vocabulary.
        vocabulary_gloss: A part of its translation.
        rows: How much there is at least.
    """

    languages: tuple[str, ...] = ("grc-cls", "lat")
    text_language: str = "grc-cls"
    text_title: str = "Iliad"
    text_begins: str = "μῆνιν ἄειδε"
    search_word: str = "μῆνιν"
    form: str = "μῆνιν"
    lemma: str = "μῆνις"
    vocabulary_language: str = "lat"
    vocabulary_word: str = "salve"
    vocabulary_gloss: str = "hello"
    rows: Rows = Rows()


def problems(content: Content) -> Iterator[Problem]:
    """Values that this table can't have."""
    for table, rows in asdict(content.rows).items():
        if rows < 0:
            path = ("content", "rows", table)
            yield Problem(path, f"'{dotted(path)}' must not be below 0", found=f"the number {rows}")
