"""What is asked of a language model, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Prompt:
    instructions: str
    question: str
    history: tuple[tuple[str, str], ...] = field(default=())
    wants_json: bool = False

    def messages(self) -> list[dict[str, str]]:
        turns = (*self.history, ("user", self.question))
        return [{"role": role, "content": content} for role, content in turns]


@dataclass(frozen=True)
class Completion:
    text: str
    usage: dict[str, Any] | None
