"""What a Markdown document names: links, anchors, code. By markdown-it-py, which rich brings along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Mention:
    """A text that a document names, and its line (from 1)."""

    text: str
    line: int


@dataclass(frozen=True)
class Document:
    """A parsed document.

    Attributes:
        links: Targets of links and images, as written.
        codes: What stands between backticks.
        rows: What stands between backticks in the first cell of a table's row.
        commands: Lines of code blocks that are not marked as something else than a shell's.
        anchors: What a link's ``#…`` may name.
    """

    links: tuple[Mention, ...]
    codes: tuple[Mention, ...]
    rows: tuple[Mention, ...]
    commands: tuple[Mention, ...]
    anchors: frozenset[str]


SHELLS = ("", "sh", "bash", "shell", "console", "zsh")
HTML_ANCHOR = re.compile(r"""<[^>]*\b(?:id|name)=["']([^"']+)["']""")


def parse(text: str) -> Document:
    """Read a document."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return Document(
        links=tuple(_links(tokens)),
        codes=tuple(_codes(tokens)),
        rows=tuple(_rows(tokens)),
        commands=tuple(_commands(tokens)),
        anchors=frozenset((*_slugs(tokens), *HTML_ANCHOR.findall(text))),
    )


def _inline(tokens: list[Token]) -> Iterator[tuple[Token, int]]:
    """Each piece of running text, with the line of the block that it stands in or of its own line in there."""
    for token in tokens:
        if token.type == "inline":
            line = token.map[0] + 1 if token.map else 0
            for child in token.children or []:
                if child.type in ("softbreak", "hardbreak"):
                    line += 1
                yield child, line


def _links(tokens: list[Token]) -> Iterator[Mention]:
    for child, line in _inline(tokens):
        target = child.attrs.get("href") if child.type == "link_open" else child.attrs.get("src")
        if child.type in ("link_open", "image") and target:
            yield Mention(str(target), line)


def _codes(tokens: list[Token]) -> Iterator[Mention]:
    for child, line in _inline(tokens):
        if child.type == "code_inline":
            yield Mention(child.content, line)


def _rows(tokens: list[Token]) -> Iterator[Mention]:
    for position, token in enumerate(tokens):
        is_first = token.type == "td_open" and tokens[position - 1].type == "tr_open"
        if is_first:
            yield from _codes([tokens[position + 1]])


def _commands(tokens: list[Token]) -> Iterator[Mention]:
    for token in tokens:
        if token.type in ("code_block", "fence") and token.info.strip().lower() in SHELLS:
            first = (token.map[0] if token.map else 0) + (2 if token.type == "fence" else 1)
            for offset, line in enumerate(token.content.splitlines()):
                if line.strip():
                    yield Mention(line.strip().removeprefix("$ "), first + offset)


def _slugs(tokens: list[Token]) -> Iterator[str]:
    """Headings' anchors as GitHub makes them; a second one of the same name gets ``-1``."""
    seen: dict[str, int] = {}
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            children = tokens[position + 1].children or []
            title = "".join(child.content for child in children if child.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            yield f"{slug}-{count}" if count else slug
