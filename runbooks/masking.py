"""The last place where an error could show a secret: on its way out of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runbooks.engine.errors import RunbookError
from runbooks.engine.guarded import place_of
from runbooks.engine.redact import Redactor


@contextmanager
def masked(redactor: Redactor) -> Iterator[None]:
    """Mask what the redactor knows in every error that leaves the block; a bug leaves it as an error, too.

    Raises:
        RunbookError: whatever was raised inside.
    """
    try:
        yield
    except RunbookError as error:
        for part in ("what", "where", "found", "mend"):
            setattr(error, part, redactor.text(getattr(error, part)))
        error.args = (error.what,)
        raise
    except Exception as error:
        raise RunbookError(
            "this tool failed in a way that nobody foresaw",
            where=place_of(error),
            found=redactor.text(f"{type(error).__name__}: {error}"),
            mend="report this as a bug",
        ) from None  # the chain would show the text unmasked
