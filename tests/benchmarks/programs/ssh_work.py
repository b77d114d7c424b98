"""Does over `Ssh` what the peers do over theirs; prints what it did.

ssh_work.py commands KEYS PORT COUNT HOSTS WIDTH
ssh_work.py upload   KEYS PORT ARCHIVE FOLDER
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runbooks.systems.hosts.access import BLOCK
from runbooks.systems.hosts.slot_commands import unpack
from runbooks.systems.hosts.ssh import Login, Ssh


def opened(keys: Path, port: str, address: str = "127.0.0.1") -> Ssh:
    return Ssh(Login(f"{getpass.getuser()}@{address}:{port}", keys / "known_hosts", keys / "user"))


def commands(keys: Path, port: str, count: int, hosts: int, width: int) -> None:
    def work(number: int) -> int:
        ssh = opened(keys, port, f"127.0.0.{number + 1}")
        done = sum(ssh.run(["echo", str(each)]).text == f"{each}\n" for each in range(count))
        ssh.close()
        return done

    with ThreadPoolExecutor(width) as pool:
        print(sum(pool.map(work, range(hosts))), "commands ok")


def upload(keys: Path, port: str, archive: Path, folder: str) -> None:
    def pieces() -> Iterator[bytes]:
        with archive.open("rb") as file:
            while piece := file.read(BLOCK):
                yield piece

    ssh = opened(keys, port)
    made = ssh.run(["sh", "-c", 'rm -rf "$1" && mkdir -p "$1"', "sh", folder])
    done = ssh.send(unpack(folder), pieces(), seconds=120)
    print("status", made.status, done.status)
    ssh.close()


if __name__ == "__main__":
    if sys.argv[1] == "commands":
        commands(Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:]))
    else:
        upload(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), sys.argv[5])
