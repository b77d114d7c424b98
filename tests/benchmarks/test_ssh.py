"""P4, P5, P7, P8: commands and releases over SSH, against a real sshd on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import sshd as real
from tests.benchmarks.cases import Case, compare
from tests.benchmarks.conftest import PROGRAMS
from tests.benchmarks.paired import Row
from tests.benchmarks.peers import ansible_variables, peer

COMMANDS, HOSTS, EACH = 100, 20, 10
OURS = "ours"


@dataclass(frozen=True)
class Line:
    """A running sshd, and OpenSSH's client set up for it."""

    daemon: real.Sshd

    @property
    def keys(self) -> str:
        return str(self.daemon.folder)

    @property
    def port(self) -> str:
        return str(self.daemon.port)

    def options(self, *more: str) -> str:
        """Options of ssh as one line of a shell."""
        keys = self.daemon.folder
        words = ["-F", "none", "-p", self.port, "-i", f"{keys}/user", "-o", f"UserKnownHostsFile={keys}/known_hosts"]
        return " ".join([*words, "-o", "StrictHostKeyChecking=yes", *more])

    def master(self) -> str:
        return self.options("-o", "ControlMaster=auto", "-o", f"ControlPath={self.keys}/%h", "-o", "ControlPersist=30")

    def ours(self, *words: str) -> list[str | Path]:
        return [sys.executable, PROGRAMS / "ssh_work.py", words[0], self.keys, self.port, *words[1:]]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("sshd")
    more = [f"ListenAddress 127.0.0.{number}" for number in range(2, 16)]
    with real.running(folder, *more, "MaxStartups 100", "MaxSessions 100", "Subsystem sftp internal-sftp") as daemon:
        key = (folder / "host.pub").read_text()
        known = [f"[127.0.0.{number}]:{daemon.port} {key}" for number in range(1, HOSTS + 1)]
        (folder / "known_hosts").write_text("".join(known))
        yield Line(daemon)


def shell(name: str, script: str, folder: Path, shows: str, **more: int) -> Case:
    return Case(name=name, argv=["bash", "-euc", script], folder=folder, shows=shows, **more)  # type: ignore[arg-type]


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_a_hundred_commands_on_one_host(line: Line, home: Path, tmp_path: Path) -> None:
    count = f"for i in $(seq {COMMANDS}); do"
    end = f'ssh {line.master()} -O exit 127.0.0.1 2>/dev/null || true; echo "{COMMANDS} commands ok"'
    shows = f"{COMMANDS} commands ok"
    cases = [
        Case(name=OURS, argv=line.ours("commands", str(COMMANDS), "1", "1"), folder=tmp_path, shows=shows),
        shell(
            "ssh on a master", f"{count} ssh {line.master()} 127.0.0.1 echo $i >/dev/null; done; {end}", tmp_path, shows
        ),
        shell(
            "one long-lived ssh host sh",
            f"{{ {count} echo echo $i; done; }} | ssh {line.options()} 127.0.0.1 sh | wc -l | grep -x {COMMANDS};"
            f' echo "{COMMANDS} commands ok"',
            tmp_path,
            shows,
        ),
    ]
    if ansible := peer("ansible"):
        inventory = tmp_path / "inventory"
        inventory.write_text(
            f"h1 ansible_host=127.0.0.1 ansible_port={line.port} ansible_ssh_private_key_file={line.keys}/user "
            f"ansible_ssh_common_args='-F none -o UserKnownHostsFile={line.keys}/known_hosts'\n"
        )
        book = ansible.scripts / "ansible" / "loop_commands.yml"
        play: list[str | Path] = [ansible.command("ansible-playbook"), "-i", inventory, book]
        cases.append(
            Case(
                name="ansible, pipelining, a loop of 25",
                argv=[*play, "-e", "n=25", "-e", "target=h1"],
                folder=tmp_path,
                environment=ansible_variables(ansible),
                shows="failed=0",
                rounds=3,
            )
        )
    rows = [
        Row(case=OURS, against="ssh on a master", at_most=1, units=COMMANDS),
        Row(case="ssh on a master", units=COMMANDS),
        Row(case="one long-lived ssh host sh", against=OURS, at_least=0.2, units=COMMANDS),
        Row(case="ansible, pipelining, a loop of 25", against=OURS, at_least=20, units=25),
    ]

    compare("P4: 100 commands on one host", cases, rows, home)


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_ten_commands_on_each_of_many_hosts(line: Line, home: Path, tmp_path: Path) -> None:
    hosts = 15  # one sshd listens at sixteen addresses at most
    total = hosts * EACH
    leave = f"ssh {line.master()} -O exit 127.0.0.{{}} 2>/dev/null"
    one = f"for i in $(seq {EACH}); do ssh {line.master()} 127.0.0.{{}} echo $i; done; {leave}"
    cases = [
        Case(
            name=f"{OURS}, {width} at a time",
            argv=line.ours("commands", str(EACH), str(hosts), str(width)),
            folder=tmp_path,
            shows=f"{total} commands ok",
        )
        for width in (2, 10)
    ]
    script = f"seq {hosts} | xargs -P 20 -I{{}} sh -c '{one}' | wc -l | grep -x {total}"
    cases.append(shell("ssh on masters, xargs -P 20", script, tmp_path, str(total)))
    rows = [
        Row(case=f"{OURS}, 10 at a time", against="ssh on masters, xargs -P 20", at_most=1, units=total),
        Row(case=f"{OURS}, 2 at a time", against=f"{OURS}, 10 at a time", at_least=1.4, units=total),
        Row(case="ssh on masters, xargs -P 20", units=total),
    ]

    compare(f"P5: {EACH} commands on each of {hosts} hosts", cases, rows, home)


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["P7: a release of 50 MB", "P8: 2000 small files"])
def test_a_release_is_sent_and_unpacked(what: str, line: Line, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    sizes = [50_000_000] if "50 MB" in what else [2048] * 2000
    for number, size in enumerate(sizes):
        (source / f"{number}").write_bytes(os.urandom(size))
    archive, target = tmp_path / "release.tar.gz", tmp_path / "target"
    subprocess.run(["tar", "-C", source, "-czf", archive, "."], check=True)
    to = f"{target}-openssh"
    fresh = f"ssh {line.master()} 127.0.0.1 'rm -rf {to} && mkdir {to}'"
    scp = line.master().replace(f"-p {line.port}", f"-P {line.port}")
    unpack = f"ssh {line.master()} 127.0.0.1 'tar -C {to} -xzf {to}.tar.gz'; ssh {line.master()} -O exit 127.0.0.1"
    cases = [
        Case(name=OURS, argv=line.ours("upload", str(archive), f"{target}-ours"), folder=tmp_path, shows="status 0 0"),
        shell(
            "scp, then ssh tar",
            f"{fresh}; scp {scp} {archive} 127.0.0.1:{to}.tar.gz; {unpack}; echo done",
            tmp_path,
            "done",
        ),
    ]

    compare(
        what, cases, [Row(case=OURS, against="scp, then ssh tar", at_most=1.4), Row(case="scp, then ssh tar")], home
    )

    for folder in (f"{target}-ours", to):
        assert len(list(Path(folder).iterdir())) == len(sizes)
