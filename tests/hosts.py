"""A host with two slots, a supervisor of its own, and a repository of small releases."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox.ports import choose
from runbooks.systems.hosts.access import Access, Here
from runbooks.systems.hosts.fleet import Fleet
from runbooks.systems.hosts.slot_build import Recipe
from runbooks.systems.hosts.slot_host import SlotHost
from runbooks.systems.hosts.supervisor_control import SupervisorControl
from runbooks.systems.platform.hosting import Placement, Release, Slot
from runbooks.systems.source import archive
from tests.servers import LOOPBACK

SERVER = """
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        found = {"commit": COMMIT, "colour": os.environ.get("COLOUR"), "prefix": sys.prefix, "cwd": os.getcwd()}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
COMMIT = open("name.txt").read()
print("serving", COMMIT, flush=True)
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
VARIABLES = {"COLOUR": Secret("COLOUR", 'it\'s "blue"\n$HOME `date` \\ é')}


class Repository:
    """A bare repository to which releases are committed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._repository = pygit2.init_repository(str(folder), bare=True)
        self._time = 1_761_998_400

    def commit(self, name: str, *, start: str = "python server.py", **files: str) -> str:
        """Commit a release; its id. ``railway`` is merged into its settings."""
        settings = {"deploy": {"startCommand": start}, **json.loads(files.pop("railway", "{}"))}
        contents = {"name.txt": name, "server.py": SERVER, "railway.json": json.dumps(settings), **files}
        return self._commit(name, {path: text.encode() for path, text in contents.items()})

    def _commit(self, name: str, contents: Mapping[str, bytes]) -> str:
        index = pygit2.Index()
        for path, body in contents.items():
            index.add(pygit2.IndexEntry(path, self._repository.create_blob(body), FileMode.BLOB))
        self._time += 60
        author = pygit2.Signature("PRAVIEL", "releases@praviel.test", self._time, 0)
        tree = index.write_tree(self._repository)
        made = self._repository.create_commit(None, author, author, name, tree, [])
        self._repository.references.create(f"refs/heads/{name}", made, force=True)
        return str(made)


@dataclass(frozen=True)
class Bed:
    """A host's folder with everything that a deploy expects there."""

    root: Path
    configuration: Path
    repository: Repository

    def host(self, access: Access | None = None, *, install: str | None = None) -> SlotHost:
        """The host, reached in this way; its releases have empty virtual environments, or what ``install`` makes."""
        way = access or Here()
        program = str(self.root / "install") if install is None else install
        recipe = Recipe(partial(archive.stream, self.repository.folder), sys.executable, program)
        return SlotHost(way, str(self.root), SupervisorControl(way, str(self.configuration), "shop"), recipe)

    def fleet(self, access: Access | None = None, *, install: str | None = None) -> Fleet:
        """The host alone."""
        host = self.host(access, install=install)
        return Fleet({host.name: host})

    def clear(self) -> None:
        """Have the host as it was before its first deploy."""
        host = self.host()
        for slot in Slot:
            host.control.stop(slot, 30)
            for path in (self.root / "slots" / slot).iterdir():
                if path.name != "address":
                    path.unlink()
        for path in self.root.iterdir():
            if path.is_symlink() or path.is_file():
                if path.name != "install":
                    path.unlink()
            elif path.name != "slots":
                shutil.rmtree(path)

    def address(self, slot: Slot) -> str:
        return (self.root / "slots" / slot / "address").read_text().strip()

    def release(self, name: str, **how: str) -> Release:
        """A release of this name, committed."""
        return Release(name, self.repository.commit(name, **how))

    def deploy(self, fleet: Fleet, release: Release, *, token: int = 1, run: str = "run") -> Slot:
        """All of a deploy that concerns the host."""
        (host,) = fleet.hosts
        change, slot = fleet.changes(token), fleet.observe(host).idle
        change.build(host, release, say=lambda _: None)
        if fleet.observe(host).slots[slot].stays:
            change.stop(host, slot)
        change.place(host, slot, Placement(release, run), VARIABLES)
        change.start(host, slot)
        change.switch(host, slot)
        return slot


@contextlib.contextmanager
def bed(folder: Path) -> Iterator[Bed]:
    """A host's folder and its supervisor, for the time of a block."""
    root = folder / "host"
    ports: list[int] = []
    for slot in Slot:
        (root / "slots" / slot).mkdir(parents=True)
        ports.append(choose(avoiding=ports))
        (root / "slots" / slot / "address").write_text(f"{LOOPBACK}:{ports[-1]}\n")
    (root / "install").write_text(f"#!/bin/sh\nexec {sys.executable} -m venv --without-pip .venv\n")
    (root / "install").chmod(0o700)
    configuration, port = folder / "supervisord.conf", choose(avoiding=ports)
    configuration.write_text("\n".join(_configuration(folder, root, port)))
    log = (folder / "output").open("wb")
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    made = Bed(root, configuration, Repository(folder / "repository"))
    host = made.host()
    try:
        until(lambda: _answers(host), seconds=15, what="supervisor does not answer")
        yield made
    finally:
        supervisor.terminate()
        supervisor.wait(20)
        log.close()


def _answers(host: SlotHost) -> bool:
    return all(host.control.process(slot).state == "STOPPED" for slot in Slot)


def _configuration(folder: Path, root: Path, port: int) -> Iterator[str]:
    yield f"[supervisord]\nlogfile={folder}/log\npidfile={folder}/pid\nchildlogdir={folder}\n"
    yield f"[inet_http_server]\nport={LOOPBACK}:{port}\nusername=u\npassword=p\n"
    yield "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
    for slot in Slot:
        yield f"[program:shop-{slot}]\ncommand=/bin/sh {root}/start {slot}\nautostart=false\nautorestart=true"
        yield f"startsecs=1\nstopwaitsecs=10\nredirect_stderr=true\nstdout_logfile={folder}/{slot}.log\n"
