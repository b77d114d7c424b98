"""A change to a protected environment is agreed to by typing the environment's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runbooks.engine.errors import InputError


def confirm(
    environment: str,
    changes: Sequence[str],
    *,
    given: str | None,
    ask: Callable[[str], str] | None,
    show: Callable[[str], None],
    option: str = "--confirm",
) -> None:
    """Show what will change and be lost, then have the environment's name typed.

    Args:
        environment: What has to be typed.
        changes: What will change and be lost, a line each.
        show: Prints a line.
        given: What the command line said (``--confirm NAME``).
        ask: Reads a line from the terminal; None if there is no terminal.
        option: What says it on the command line.

    Raises:
        InputError: the name was not typed, or was wrong; nothing was done.
    """
    for line in changes:
        show(line)
    if given is None and ask is None:
        raise InputError(
            f"{environment} must be confirmed, and there is no terminal to ask on",
            mend=f"read what is shown above, then add {option} {environment}",
        )
    typed = given if given is not None else _asked(ask, environment)
    if typed.strip() != environment:
        raise InputError(
            f"{environment} was not confirmed, so nothing was done",
            found=f"typed: {typed.strip() or 'nothing'}",
            mend=f"type {environment}, or give {option} {environment}",
        )


def _asked(ask: Callable[[str], str] | None, environment: str) -> str:
    try:
        return ask(f"Type {environment} to go on: ") if ask else ""
    except EOFError:  # Ctrl-D is a no
        return ""
