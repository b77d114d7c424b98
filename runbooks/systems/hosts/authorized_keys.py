"""The file on a host that says who may log in: one key a line, with options in front of it and a comment behind.

The texts are worked on here, and put there whole, so that a host always has the file of before or the one of after.
https://man.openbsd.org/sshd#AUTHORIZED_KEYS_FILE_FORMAT
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts.access import Access

SECONDS = 30.0

_READ = 'cd && exec cat -- "$1"'
_REPLACE = """\
set -eu
cd
file=$(readlink -f -- "$1")
test "$(sha256sum < "$file" | cut -d ' ' -f 1)" = "$2" || exit 3
draft=$(mktemp -- "$file.XXXXXX")
trap 'rm -f -- "$draft"' EXIT
cp -p -- "$file" "$draft"
cat > "$draft"
test "$(sha256sum < "$draft" | cut -d ' ' -f 1)" = "$3" || exit 4
sync -- "$draft" 2> /dev/null || sync
mv -f -- "$draft" "$file"
trap - EXIT
"""
"""Puts standard input in the place of a file in the home of who logs in: if that is still the one with the first sum,
and once all of the second has come."""
CHANGED_MEANWHILE = 3


def added(text: str, new: str, beside: str) -> str | None:
    """With one more key, under the options of the one beside it; None: that one is not there.

    Args:
        new: The public key as it stands in a ``.pub`` file.
        beside: The present one's.
    """
    options = [found[1] for line in text.splitlines() if (found := _line_of(beside).fullmatch(line))]
    if not options:
        return None
    if _holds(text, new):
        return text
    ends = "" if text.endswith("\n") else "\n"
    return f"{text}{ends}{options[0]}{new.strip()}\n"


def removed(text: str, key: str) -> str:
    """Without any line of this key; all else stays as it is."""
    return "".join(line for line in text.splitlines(keepends=True) if not _line_of(key).fullmatch(line.rstrip("\r\n")))


def _holds(text: str, key: str) -> bool:
    return removed(text, key) != text


def _line_of(key: str) -> re.Pattern[str]:
    """A line that lets this key in; its first group is the options, with the space behind them."""
    kind, blob = key.split()[:2]
    return re.compile(rf"(\s*(?:[^\s#].*\s)?){re.escape(kind)}\s+{re.escape(blob)}(?:\s.*)?")


@dataclass(frozen=True)
class AuthorizedKeys:
    """That file on one host.

    Attributes:
        path: Relative to the home of who logs in.
    """

    access: Access
    path: str

    def holds(self, key: str) -> bool:
        """Whether it lets this key in."""
        return _holds(self._text(), key)

    def add(self, new: str, beside: str) -> None:
        """Let one more key in.

        Raises:
            SystemFault: the one beside it is not there, the host can't be asked, or somebody else changed the file.
        """
        before = self._text()
        after = added(before, new, beside)
        if after is None:
            raise self._fault("the key of now is not in this file, so its options are not known", Reason.FAILED)
        self._put(before, after)

    def remove(self, key: str) -> None:
        """Have this key let in no more. Raises as `add`."""
        before = self._text()
        self._put(before, removed(before, key))

    def _text(self) -> str:
        done = self.access.run(["sh", "-c", _READ, "sh", self.path], seconds=SECONDS)
        if done.status:
            raise self._fault("the authorized keys can't be read", Reason.FAILED, done.errors.strip())
        return done.output.decode(errors="surrogateescape")

    def _put(self, before: str, after: str) -> None:
        if before == after:
            return
        data = after.encode(errors="surrogateescape")
        argv = ["sh", "-c", _REPLACE, "sh", self.path, _sum(before.encode(errors="surrogateescape")), _sum(data)]
        done = self.access.send(argv, [data], seconds=SECONDS)
        if done.status == CHANGED_MEANWHILE:
            raise self._fault("somebody changed the authorized keys at the same time", Reason.FAILED)
        if done.status:
            raise self._fault("the authorized keys can't be written", Reason.FAILED, done.errors.strip())

    def _fault(self, what: str, reason: Reason, found: str = "") -> SystemFault:
        where = f"{self.path} on {self.access.name}"
        return SystemFault(what, reason=reason, where=where, found=found, mend="see platform.hosts.authorized_keys")


def _sum(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
