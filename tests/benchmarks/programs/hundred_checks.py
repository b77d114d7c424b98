"""100 checks, 25 each of files, commands, ports and HTTP answers: ``ours`` by the engine, ``floor`` by bare Python.

hundred_checks.py HOW FOLDER PORT
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

EACH = 25


def file(path: Path) -> bool:
    return path.stat().st_size > 0


def command(word: str) -> bool:
    return subprocess.run(["/bin/echo", word], capture_output=True, text=True, check=True).stdout == f"{word}\n"


def listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 5):
        return True


def ours(folder: Path, port: int) -> int:
    import threading
    from collections.abc import Callable
    from datetime import timedelta

    from runbooks.engine.check import Check, Evidence, Phase, Severity, failed, passed
    from runbooks.engine.checking import Questioning, ask_all
    from runbooks.systems.http.client import HttpClient

    def check(target: str, number: int, question: Callable[[], bool]) -> Check[None]:
        return Check(
            id=f"{target}.{number}",
            title=f"{target} {number}",
            number=None,
            section="",
            severity=Severity.MAJOR,
            evidence=Evidence.PROBE,
            phase=Phase.LIVE,
            valid_for=timedelta(0),
            depends_on=(),
            target=target,
            look=lambda _tools, _known: passed("so", "so") if question() else failed("so", "not so", "mend it"),
        )

    with HttpClient(f"http://127.0.0.1:{port}") as client:
        checks = []
        for number in range(EACH):
            checks += [
                check("file", number, lambda n=number: file(folder / f"f{n:04}.txt")),  # type: ignore[misc]
                check("command", number, lambda n=number: command(str(n))),  # type: ignore[misc]
                check("port", number, lambda n=number: listens(port + 1 + n)),  # type: ignore[misc]
                check(
                    "http",
                    number,
                    lambda n=number: client.get(f"/ok?{n}").object()["status"] == "ok",  # type: ignore[misc]
                ),
            ]
        how = Questioning[None](
            tools=None,
            cap=8,
            stopping=threading.Event(),
            reuse=lambda _check: None,
            on_result=lambda _check, _result: None,
        )
        return sum(result.verdict.good for result in ask_all(how, checks, {}).values())


def floor(folder: Path, port: int) -> int:
    def answers() -> bool:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := connection.recv(4096):
                answer += chunk
        return b'"ok"' in answer

    good = 0
    for number in range(EACH):
        good += file(folder / f"f{number:04}.txt") + command(str(number)) + listens(port + 1 + number) + answers()
    return good


if __name__ == "__main__":
    how, folder, port = sys.argv[1:]
    print(f"{(ours if how == 'ours' else floor)(Path(folder), int(port))} checks ok")
