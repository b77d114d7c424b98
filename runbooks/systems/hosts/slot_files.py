"""What stands in the files of a host's slots: written from objects, and read back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.platform.hosting import Placement, Release, Slot


@dataclass(frozen=True, slots=True)
class Seen:
    """What lies on a host, without what runs there.

    Attributes:
        proxy: Where its proxy listens; None: it is not noted there.
    """

    active: Slot | None
    token: int
    free_bytes: int
    proxy: str | None
    addresses: Mapping[Slot, str]
    placements: Mapping[Slot, Placement | None]
    releases: tuple[Release, ...]


def parse(text: str, where: str) -> Seen:
    """What `slot_commands.observe` printed.

    Raises:
        SystemFault: BAD_ANSWER: a file there is damaged, or a slot has no address.
    """
    rows = [line.partition(" ")[::2] for line in text.splitlines()]
    known = {key: value for key, value in rows if key in ("active", "token", "free", "proxy")}
    try:
        active = known["active"].rpartition("/")[2]
        return Seen(
            active=Slot(active) if active else None,
            token=int(known["token"]),
            free_bytes=int(known["free"]),
            proxy=known["proxy"].strip() or None,
            addresses={slot: _address(value) for slot, value in _by_slot(rows, "address").items()},
            placements={slot: _placement(value) for slot, value in _by_slot(rows, "placed").items()},
            releases=_releases([value for key, value in rows if key == "release"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SystemFault(
            "what lies on the host can't be read",
            reason=Reason.BAD_ANSWER,
            where=where,
            found=repr(error),
            mend="see that slots/blue/address and slots/green/address there hold ADDRESS:PORT each",
        ) from error


def marker(release: Release, built: datetime) -> str:
    """What stands in a release that is whole (JSON)."""
    return json.dumps({"id": release.id, "commit": release.commit, "built": built.isoformat(timespec="milliseconds")})


def of_marker(text: str) -> Release:
    """The release whose marker this is."""
    fields = json.loads(text)
    return Release(str(fields["id"]), str(fields["commit"]))


def placed(placement: Placement) -> str:
    """What stands in a slot (JSON)."""
    release = placement.release
    fields = {"release": release.id, "commit": release.commit, "run": placement.run}
    return json.dumps({**fields, "fingerprint": placement.fingerprint})


def variables(values: Mapping[str, Secret]) -> bytes:
    """Variables as a shell reads them, whatever is in them.

    Raises:
        InputError: a name is none that a shell has, or a value holds a NUL.
    """
    lines = []
    for name, value in sorted(values.items()):
        text = value.reveal()
        if not (name.isidentifier() and name.isascii()) or "\0" in text:
            mend = "letters, digits and underscores in its name, no NUL in its value"
            raise InputError("a variable can't be given to a program", where=name, mend=mend)
        lines.append(f"export {name}={shlex.quote(text)}\n")
    return "".join(lines).encode()


def of_variables(text: str, where: str) -> Mapping[str, Secret]:
    """What `variables` wrote.

    Raises:
        SystemFault: BAD_ANSWER: it was written by somebody else.
    """
    try:
        words = shlex.split(text)
    except ValueError:  # a quote is left open
        words = [text]
    pairs = [pair.partition("=") for pair in words[1::2]]
    if len(words) % 2 or set(words[::2]) - {"export"} or not all(equals for _, equals, _ in pairs):
        what = "a slot's variables are not as a deploy writes them"
        mend = "deploy the release again: invoke release.deploy --release ID"
        raise SystemFault(what, reason=Reason.BAD_ANSWER, where=where, mend=mend)
    return {name: Secret(name, value) for name, _, value in pairs}


def start_command(railway: str, where: str) -> str:
    """The shell line by which the release's own start command replaces the shell.

    Raises:
        SystemFault: its railway.json names none.
    """
    try:
        command = json.loads(railway)["deploy"]["startCommand"]
        return "exec " + shlex.join(shlex.split(command))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = "the release does not say how it is started"
        mend = "set deploy.startCommand in its railway.json"
        raise SystemFault(what, reason=Reason.BAD_ANSWER, where=where, found=repr(error), mend=mend) from error


def build_command(railway: str, where: str) -> str:
    """The release's own build command; empty if it has none.

    Raises:
        SystemFault: its railway.json can't be read.
    """
    try:
        return str(json.loads(railway).get("build", {}).get("buildCommand") or "")
    except (ValueError, AttributeError) as error:
        what = "the release's railway.json can't be read"
        raise SystemFault(what, reason=Reason.BAD_ANSWER, where=where, found=repr(error)) from error


def _by_slot(rows: list[Any], wanted: str) -> dict[Slot, str]:
    found = {}
    for key, value in rows:
        if key == wanted:
            slot, _, text = value.partition(" ")
            found[Slot(slot)] = text
    return found


def _address(text: str) -> str:
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{text!r} is no address")
    return text.strip()


def _placement(text: str) -> Placement | None:
    if not text.strip():
        return None
    fields = json.loads(text)
    release = Release(str(fields["release"]), str(fields["commit"]))
    return Placement(release, str(fields["run"]), str(fields["fingerprint"]))


def _releases(markers: list[str]) -> tuple[Release, ...]:
    known = sorted((str(json.loads(text)["built"]), text) for text in markers)
    return tuple(of_marker(text) for _, text in known)
