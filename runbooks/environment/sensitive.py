"""Which of an application's variables are secrets, judged by name and by shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from runbooks.engine.redact import SHORTEST
from runbooks.engine.secret import Secret

_NAMES = re.compile(r"(KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|DSN)S?$", re.IGNORECASE)


def sensitive(variables: Mapping[str, Secret]) -> Iterator[Secret]:
    """What must never be shown: values of variables named like secrets, and passwords inside URLs.

    A value shorter than what can be masked is left out: it is never printed anyway, and a check judges it.
    """
    for name, variable in variables.items():
        value = variable.reveal()
        if _NAMES.search(name) and len(value) >= SHORTEST:
            yield variable
        yield from passwords(variable)


def secret_names(variables: Mapping[str, Secret]) -> list[str]:
    """The names of those that are secrets, or have a password in them; also short ones, not empty ones. In order."""
    named = ((name, each) for name, each in variables.items() if each.reveal())
    return sorted(name for name, each in named if _NAMES.search(name) or list(passwords(each)))


def passwords(url: Secret) -> Iterator[Secret]:
    """The password in a URL, as it is written and as it is meant, with the URL that holds it."""
    try:
        written = urlsplit(url.reveal()).password
    except ValueError:
        return
    if written:
        for form in {written, unquote(written)}:
            if len(form) >= SHORTEST:
                yield Secret(f"{url.name} password", form)
        yield url
