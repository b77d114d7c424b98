"""How checks are asked: the table ``[checks]`` of an inventory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How checks are run.

    Attributes:
        concurrency_per_target: How many checks may ask one server at the same time.
        timeout_seconds: How long one attempt may take, in seconds.
        attempts: How often a question is asked before its answer is believed to be missing.
    """

    concurrency_per_target: int = 4
    timeout_seconds: float = 10.0
    attempts: int = 2
