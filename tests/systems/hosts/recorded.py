"""A host of recorded answers: each command is answered by what a real host printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runbooks.systems.hosts.runner import Done


@dataclass
class Recorded:
    """Answers by a word of the command; what is not recorded fails as a missing file does."""

    answers: dict[str, str | Done]
    asked: list[tuple[str, ...]] = field(default_factory=list)
    name: str = "web-1"

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Done:
        assert seconds > 0
        self.asked.append(tuple(argv))
        for word, answer in self.answers.items():
            if any(word in part for part in argv):
                return answer if isinstance(answer, Done) else Done(0, answer.encode(), "")
        return Done(1, b"", f"{argv[0]}: {argv[-1]}: No such file or directory")
