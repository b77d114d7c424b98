"""Compares a secret with those of the other environments by keyed hashes: no value is compared in clear."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from runbooks.checks.subject import Subject
from runbooks.engine.secret import Secret


@dataclass(frozen=True)
class Comparison:
    """What became of comparing.

    Attributes:
        peers: The environments that were looked at.
        same: Those that hold the same value.
        unset: Those that hold none.
    """

    peers: tuple[str, ...]
    same: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


def compared(subject: Subject, name: str, own: Secret) -> Comparison:
    """The environment's value of a variable beside that of each other one.

    Raises:
        InputError: another environment can't be loaded, or its variables can't be read, or there is no key for it.
    """
    peers = subject.environment.fingerprints.peers or ()
    if not peers:
        return Comparison(())
    mine = subject.site.fingerprint(own.reveal())
    theirs = {peer: _fingerprint_of(subject, peer, name) for peer in peers}
    return Comparison(
        peers,
        same=tuple(peer for peer, other in theirs.items() if other and hmac.compare_digest(mine, other)),
        unset=tuple(peer for peer, other in theirs.items() if other is None),
    )


def _fingerprint_of(subject: Subject, peer: str, name: str) -> str | None:
    value: Secret | None = subject.site.peer_variables(peer).get(name)
    return subject.site.fingerprint(value.reveal()) if value else None
