"""Whether what a document names is there: files, commands, variables, routes."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from runbooks.systems.source.markdown import Document, Mention, parse

VARIABLE = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+")
ROUTE = re.compile(r"(?:(GET|POST|PUT|PATCH|DELETE|HEAD) )?(/[\w{}/.-]*)")
FILE = re.compile(r"(?!\w+://)[\w.@-]+(?:/[\w.@*-]+)*/?")
SUFFIXES = frozenset(
    (
        "py",
        "md",
        "toml",
        "txt",
        "json",
        "yml",
        "yaml",
        "ini",
        "cfg",
        "sh",
        "sql",
        "env",
        "html",
        "css",
        "js",
        "ts",
        "dart",
    )
)
ELSEWHERE = ("/", "~", "$", "..")
SHELL_WORDS = frozenset({"&&", "||", ";", "|"})


@dataclass(frozen=True)
class Known:
    """What there is.

    Attributes:
        files: Paths below the release's root.
        variables: Variables that the release reads.
        routes: ``METHOD /path`` for all routes, parameters as ``{}``; None: they are not known.
    """

    files: frozenset[str]
    variables: frozenset[str]
    routes: frozenset[str] | None = None

    def has_file(self, name: str, beside: str = "") -> bool:
        """Whether a file or folder of this name is there: from the root, from the document, or as an end of a path."""
        path = name.removeprefix("./").rstrip("/")
        if "*" in path:
            return any(PurePosixPath(file).match(path) for file in self.files)
        candidates = (path, _normal(f"{beside}/{path}" if beside else path))
        return any(
            file == each or file.startswith(f"{each}/") or file.endswith(f"/{each}") or f"/{each}/" in file
            for file in self.files
            for each in candidates
        )

    def has_module(self, name: str) -> bool:
        """Whether a Python module of this name is in the release."""
        path = name.replace(".", "/")
        return any(self._at(f"{path}{end}") for end in (".py", "/__main__.py", "/__init__.py"))

    def has_route(self, method: str | None, path: str) -> bool:
        wanted = _template(path)
        routes = self.routes or frozenset()
        return any(wanted == route.partition(" ")[2] and method in (None, route.partition(" ")[0]) for route in routes)

    def _at(self, path: str) -> bool:
        return path in self.files or any(file.endswith(f"/{path}") for file in self.files)


def missing_names(document: Document, known: Known, beside: str = "") -> list[str]:
    """What a document names in running text that is not there, in words.

    Args:
        beside: The document's own folder.
    """
    found = []
    for mention in document.codes:
        what = _missing(mention.text.strip(), known, beside)
        if what:
            found.append(f"line {mention.line}: {what}")
    return found


def _missing(text: str, known: Known, beside: str) -> str:
    if VARIABLE.fullmatch(text):
        return "" if text in known.variables else f"variable {text}"
    route = ROUTE.fullmatch(text)
    if route and (route[1] or text.startswith("/")):
        return "" if known.routes is None or known.has_route(route[1], route[2]) else f"route {text}"
    if FILE.fullmatch(text) and _looks_like_a_file(text):
        return "" if known.has_file(text, beside) else f"file {text}"
    if text.startswith(("python -m ", "alembic ", "uvicorn ")):
        return missing_command(text, known)
    return ""


def _looks_like_a_file(text: str) -> bool:
    """``a/b.py``, ``a/``, ``railway.json``; not ``application/json``, ``v1.2`` or ``localhost:5432``."""
    return text.endswith("/") or text.rpartition(".")[2] in SUFFIXES


def missing_commands(document: Document, known: Known) -> list[str]:
    """What the commands in a document's code blocks need and is not there, in words."""
    made: set[str] = set()
    found = []
    for mention in document.commands:
        what = missing_command(mention.text, known, made)
        if what:
            found.append(f"line {mention.line}: {what}")
    return found


def missing_command(line: str, known: Known, made: set[str] | None = None) -> str:
    """What one command line needs and is not there; ``made`` is what commands before it have made, and is added to."""
    made = set() if made is None else made
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return ""  # a part of a longer text, not a command
    return next((what for argv in _simple(words) if (what := _needs(argv, known, made))), "")


def _simple(words: list[str]) -> Iterator[list[str]]:
    """The commands that a line consists of, without assignments in front."""
    argv: list[str] = []
    for word in [*words, ";"]:
        if word in SHELL_WORDS:
            if argv:
                yield argv
            argv = []
        elif argv or not re.fullmatch(r"[A-Z_]+=.*", word):
            argv.append(word)


def _needs(argv: list[str], known: Known, made: set[str]) -> str:
    program, rest = argv[0], argv[1:]
    paths: list[str] = []
    if program == "cp" and len(rest) >= 2:
        paths = [word for word in rest[:-1] if not word.startswith("-")]
        made.add(rest[-1].removeprefix("./"))
    elif program in ("pip", "pip3"):
        paths = [after for word, after in itertools.pairwise(rest) if word in ("-r", "-c")]
    elif program in ("python", "python3") and rest[:1] == ["-m"] and len(rest) > 1:
        module = rest[1]
        if "." in module and not known.has_module(module):
            return f"module {module}"
    elif program in ("python", "python3", "bash", "sh", ".", "source") and rest and not rest[0].startswith("-"):
        paths = rest[:1]
    elif program == "uvicorn" and rest and ":" in rest[0]:
        module = rest[0].partition(":")[0]
        return "" if known.has_module(module) else f"module {module}"
    elif program == "alembic":
        paths = ["alembic.ini"]
    elif program.startswith("./"):
        paths = [program]
    elif program == "cd" and rest:
        paths = rest[:1]
    wanted = [
        path for path in paths if path.removeprefix("./") not in made and not path.startswith(("/", "~", "$", ".."))
    ]
    return next((f"file {path}" for path in wanted if not known.has_file(path)), "")


@dataclass(frozen=True)
class Links:
    """A document's links, sorted by whether they can be followed here.

    Attributes:
        dead: In words: links to files and anchors that are not there.
        external: Addresses of other sites.
    """

    dead: tuple[str, ...]
    external: tuple[str, ...]


def follow(document: Document, known: Known, beside: str, texts: dict[str, Document]) -> Links:
    """Follow the links to files of the release and to headings.

    Args:
        beside: The document's own folder.
        texts: Other documents by path, for their headings.
    """
    dead: list[str] = []
    external: list[str] = []
    for link in document.links:
        parts = urlsplit(link.text)
        if parts.scheme in ("http", "https"):
            external.append(link.text)
        elif not parts.scheme and not parts.netloc:
            dead += _dead(link, document, known, beside, texts)
    return Links(tuple(dead), tuple(dict.fromkeys(external)))


def _dead(link: Mention, document: Document, known: Known, beside: str, texts: dict[str, Document]) -> Iterator[str]:
    parts = urlsplit(link.text)
    path = unquote(parts.path)
    target = _normal(path.lstrip("/") if path.startswith("/") else f"{beside}/{path}") if path else ""
    if path and target not in known.files and not any(file.startswith(f"{target}/") for file in known.files):
        yield f"line {link.line}: {link.text} leads to no file"
        return
    there = texts.get(target) if path else document
    if parts.fragment and there is not None and unquote(parts.fragment) not in there.anchors:
        yield f"line {link.line}: {link.text} leads to no heading"


def parsed(texts: dict[str, str]) -> dict[str, Document]:
    """Documents by path."""
    return {path: parse(text) for path, text in texts.items()}


def _normal(path: str) -> str:
    """Without ``.`` and ``..``; one that leaves the root begins with ``..``."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _template(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.rstrip("/") or "/")
