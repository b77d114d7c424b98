"""Keyed hashes, which tell equal values apart from different ones and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from runbooks.engine.secret import Secret


def keyed(key: Secret) -> Callable[[str], str]:
    """The function that gives a text's fingerprint."""
    return lambda text: hmac.new(key.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()
