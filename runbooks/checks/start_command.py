"""What is wrong with a start command, as far as its text tells.

Railway and process managers start it without a shell: ``&&``, pipes and ``$VARIABLES`` then reach the first program as
arguments. And a shell that does not end in ``exec`` stays between the manager and the server, and keeps SIGTERM.
"""

from __future__ import annotations

import re
import shlex

SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"})
_OPERATORS = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"})
_VARIABLE = re.compile(r"\$[A-Za-z_{(]|`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def problems(command: str) -> list[str]:
    """Everything that is wrong with the command; nothing if it is sound."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        return [f"it can't be parsed ({error})"]
    if not words:
        return ["it is empty"]
    script = _script(words)
    return _without_shell(words) if script is None else _in_shell(script)


def _script(words: list[str]) -> str | None:
    """What ``sh -c SCRIPT`` is given; None if the command is no shell."""
    if words[0].rpartition("/")[2] not in SHELLS:
        return None
    flags = [index for index, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)]
    return words[flags[0] + 1] if flags and len(words) > flags[0] + 1 else None


def _without_shell(words: list[str]) -> list[str]:
    found = []
    operators = sorted({word for word in words if word in _OPERATORS or word.endswith(";")})
    if operators:
        found.append(f"{' '.join(operators)} needs a shell, and there is none")
    variables = [word for word in words if _VARIABLE.search(word)]
    if variables:
        found.append(f"{variables[0]} is not expanded without a shell")
    if _ASSIGNMENT.match(words[0]):
        found.append(f"{words[0]} sets a variable, which needs a shell or env")
    return found


def _in_shell(script: str) -> list[str]:
    """A shell's script must end in ``exec SERVER``."""
    try:
        tokens = list(shlex.shlex(script, posix=True, punctuation_chars=True))
    except ValueError as error:
        return [f"its script can't be parsed ({error})"]
    last: list[str] = []
    for token in tokens:
        if set(token) <= set("&|;()<>") and token:
            last = [] if token in ("&&", "||", ";", "|", "&") else last
        else:
            last.append(token)
    while last and _ASSIGNMENT.match(last[0]):
        last = last[1:]
    if not last or last[0] != "exec":
        server = last[0] if last else "nothing"
        return [f"its shell stays between the manager and {server}: there is no exec"]
    return []
