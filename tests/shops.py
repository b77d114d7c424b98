"""An environment that is no sandbox, declared in a project of its own; its servers are the session's sandbox's."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from runbooks.sandbox.world import Sandbox
from tests import servers
from tests.conftest import Shell
from tests.servers import Reply, Request

DOMAIN = "checks.praviel.test"
USERS = f"SELECT count(*) FROM \"user\" WHERE email LIKE '%@{DOMAIN}'"


@dataclass
class Shop:
    """What `environment.toml` and the two files of values say; change a field, then `write`."""

    project: Path
    sandbox: Sandbox
    variables: dict[str, str]
    operator: dict[str, str]
    name: str = "shop"
    application: str = f'test_email_domain = "{DOMAIN}"'
    more: str = ""
    given: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Path, sandbox: Sandbox) -> Shop:
        variables = sandbox.variables("local")
        port = sandbox.port("local")
        operator = {
            "APPLICATION_URL": f"http://{servers.LOOPBACK}:{port}",
            "DATABASE_URL": variables["DATABASE_URL"],
            "REDIS_URL": variables["REDIS_URL"],
            "FINGERPRINT_KEY": "a-key-for-fingerprints-only",
        }
        shop = cls(project, sandbox, variables, operator)
        shop.write()
        return shop

    @property
    def folder(self) -> Path:
        return self.project / "inventory" / self.name

    @property
    def runs(self) -> Path:
        return self.project / "var" / "runs" / self.name

    @property
    def shell(self) -> Shell:
        return Shell(self.project)

    def write(self, **operator: str) -> None:
        self.operator |= operator
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "environment.toml").write_text(f"""\
schema = 1
[application]
url = {{ secret = "APPLICATION_URL" }}
{self.application}
[variables]
source = "dotenv"
path = "variables.env"
[secrets]
source = "dotenv"
path = "operator.env"
[database]
url = {{ secret = "DATABASE_URL" }}
connect_timeout_seconds = 2
[redis]
url = {{ secret = "REDIS_URL" }}
[platform]
kind = "hosts"
[providers.openai]
url = {{ variable = "OPENAI_API_BASE" }}
[providers.anthropic]
url = {{ variable = "ANTHROPIC_API_BASE" }}
[providers.google]
url = {{ variable = "GOOGLE_API_BASE" }}
[mail]
url = {{ variable = "RESEND_API_BASE" }}
{self.more}
""")
        private(self.folder / "variables.env", self.variables)
        private(self.folder / "operator.env", self.operator)

    def verify(self, *words: str, **options: Any) -> tuple[int, str, str]:
        """``release.verify`` in this environment: exit code, standard output, standard error."""
        done = self.shell.invoke("release.verify", "--env", self.name, *words, **options)
        return done.returncode, done.stdout, done.stderr

    def checks(self, *words: str) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
        """The same as JSON: exit code, checks by id, the whole report."""
        code, out, error = self.verify("--format", "json", *words)
        assert out, error
        report = json.loads(out)
        return code, {check["id"]: check for check in report["checks"]}, report

    def records(self) -> list[dict[str, Any]]:
        """The newest run's journal, as far as it has been written."""
        journals = sorted(self.runs.glob("*/journal.jsonl"))
        lines = journals[-1].read_bytes().split(b"\n")[:-1] if journals else []
        return [json.loads(line) for line in lines]

    def users(self) -> int:
        """How many test users the application holds."""
        with self.sandbox.superuser("local") as connection:
            row = connection.execute(USERS).fetchone()
        assert row
        return int(row[0])


def private(path: Path, values: Mapping[str, str]) -> None:
    """A dotenv file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))


@dataclass
class Front:
    """Stands before the application: passes requests on, and holds those of some paths until they are let go."""

    target: str
    held: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    hold: frozenset[str] = frozenset()
    instead: dict[str, Callable[[Request], Reply | None]] = field(default_factory=dict)

    def answer(self, request: Request) -> Reply | None:
        if request.path in self.hold:
            self.held.set()
            self.let_go.wait(60)
        if request.path in self.instead:
            return self.instead[request.path](request)
        kept = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        said = httpx.request(
            request.command,
            self.target + request.path,
            headers=kept,
            content=request.body,
            trust_env=False,
        )
        dropped = ("content-length", "transfer-encoding", "connection", "content-encoding")
        return Reply(said.status_code, said.content, {n: v for n, v in said.headers.items() if n not in dropped})


@contextlib.contextmanager
def fronted(shop: Shop, *hold: str, **instead: Any) -> Iterator[Front]:
    """The shop's application behind a front; ``instead`` names paths by what stands after the last slash."""
    front = Front(shop.operator["APPLICATION_URL"], hold=frozenset(hold), instead=instead)
    with servers.http(front.answer) as port:
        shop.write(APPLICATION_URL=f"http://{servers.LOOPBACK}:{port}")
        try:
            yield front
        finally:
            front.let_go.set()
            shop.write(APPLICATION_URL=front.target)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.02)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below, with size and time of its last change."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if not path.is_socket() and os.path.lexists(path)
    }
