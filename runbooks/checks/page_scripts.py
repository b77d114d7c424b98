"""What a web page loads, and the addresses of developers' machines in it: pure text, nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

DEVELOPERS = re.compile(
    r"""(?:https?|wss?)://(?:
        (?:localhost|0\.0\.0\.0|\[::1\]):\d{2,5}
      | 127\.\d{1,3}\.\d{1,3}\.\d{1,3}
      | 10\.\d{1,3}\.\d{1,3}\.\d{1,3}(?=[:/"'`\s]|$)
      | 192\.168\.\d{1,3}\.\d{1,3}
      | 172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}
    )(?::\d{2,5})?""",
    re.VERBOSE,
)
"""Addresses that lead to the reader's own machine or network. A bare ``http://localhost`` is none of them: libraries
carry it as the base of relative URLs."""

LOADED_LATER = re.compile(r"""["']([\w./-]*(?:main\.dart|main|config|settings|env)\.(?:js|json))["']""")
"""Files that a small starting script loads by name, as Flutter's does."""


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and given.get("src"):
            self.found.append(given["src"] or "")
        elif tag == "link" and (given.get("rel") == "modulepreload" or given.get("as") == "script"):
            self.found.append(given.get("href") or "")


def scripts(page: str, url: str) -> tuple[str, ...]:
    """Paths of the scripts of the same site that a page loads.

    Args:
        page: Its HTML.
        url: Its address.
    """
    parser = _Page()
    parser.feed(page)
    return _same_site(parser.found, url)


def loaded_later(script: str, url: str) -> tuple[str, ...]:
    """Paths of the same site's files that a script names and would load."""
    return _same_site(LOADED_LATER.findall(script), url)


def developers_addresses(text: str) -> tuple[str, ...]:
    """Every address of a developer's machine in a text, once each."""
    return tuple(dict.fromkeys(match.group() for match in DEVELOPERS.finditer(text)))


def _same_site(references: Sequence[str], url: str) -> tuple[str, ...]:
    here = urlsplit(url)
    absolute = [urlsplit(urljoin(url, reference)) for reference in references]
    return tuple(
        dict.fromkeys(
            f"{parts.path}?{parts.query}" if parts.query else parts.path
            for parts in absolute
            if (parts.scheme, parts.netloc) == (here.scheme, here.netloc)
        )
    )
