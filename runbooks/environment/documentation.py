"""What the inventory says of the release's source beyond where it lies: its documents, and what is no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from runbooks.environment.locate import Path as KeyPath
from runbooks.environment.problem import Problem, dotted

ALLOWANCE = re.compile(r"(\S+) ([0-9a-f]{16}) (\S.*)")
ENGINE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
WEB = ("https", "http")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documentation:
    """The application's documents: paths below the release's root; the legal ones may be public pages.

    Attributes:
        readme: What a new developer reads first.
        variables: What names every variable.
        deployment: How it is deployed.
        privacy: The privacy policy, a path or an https URL.
        terms: The terms of service, a path or an https URL.
        external_links: Whether links to other sites are asked for.
    """

    readme: str = "README.md"
    variables: str = "docs/ENVIRONMENT.md"
    deployment: str = "docs/RAILWAY_DEPLOYMENT.md"
    privacy: str = "docs/PRIVACY.md"
    terms: str = "docs/TERMS.md"
    external_links: bool = False


@dataclass(frozen=True, slots=True)
class Allowance:
    """A line of a file that looks like a secret and is none.

    Attributes:
        path: Below the release's root.
        line: The beginning of its SHA-256, in hexadecimal.
        reason: Why it is none.
    """

    path: str
    line: str
    reason: str


def allowance(text: str) -> Allowance | None:
    """What a text in the form "PATH MARK REASON" allows; None if it has another form."""
    match = ALLOWANCE.fullmatch(text)
    return Allowance(*match.groups()) if match else None


def problems(documentation: Documentation, allowed: tuple[str, ...], engine: str) -> Iterator[Problem]:
    """What is wrong with the table, and with two keys of the release."""
    paths: Mapping[str, str] = {name: getattr(documentation, name) for name in ("readme", "variables", "deployment")}
    legal: Mapping[str, str] = {name: getattr(documentation, name) for name in ("privacy", "terms")}
    for name, text in {**paths, **legal}.items():
        is_page = name in legal and urlsplit(text).scheme in WEB and urlsplit(text).hostname
        if not is_page and ("://" in text or PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts):
            yield _outside(("documentation", name), page=name in legal)
    for text in allowed:
        if allowance(text) is None:
            what = "'release.allowed_secrets' must hold texts of the form \"PATH MARK REASON\""
            yield Problem(("release", "allowed_secrets"), what, mend="api-keys.not-in-code prints what to allow")
    if not ENGINE.fullmatch(engine):
        yield Problem(
            ("release", "engine"), "'release.engine' must be of the form MODULE:NAME", found=repr(engine[:60])
        )


def _outside(path: KeyPath, *, page: bool) -> Problem:
    wanted = "a path below the release's root" + (" or an https URL" if page else "")
    return Problem(path, f"'{dotted(path)}' must be {wanted}", mend="write for example docs/README.md")
