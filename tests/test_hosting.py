"""``hosts.render``: what it writes is taken by systemd, Caddy, supervisor and a shell."""

from __future__ import annotations

import configparser
import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runbooks import hosting
from runbooks.engine.errors import InputError
from runbooks.engine.wait import until
from runbooks.environment.load import load
from runbooks.environment.model import Environment
from runbooks.sandbox.ports import choose
from runbooks.sandbox.proxy_server import binary
from runbooks.systems.hosts import slot_files
from runbooks.systems.hosts.access import Here
from runbooks.systems.hosts.slot_commands import observe
from runbooks.systems.platform.hosting import Slot
from tests import servers

ADDRESSES = {Slot.BLUE.value: "127.0.0.1:8001", Slot.GREEN.value: "127.0.0.1:8002"}
TEXT = """
schema = 1

[application]
url = "https://api.example.org"

[variables]
source = "environment"

[platform]
kind = "hosts"

[platform.service]
{service}

[platform.hosts]
root = "{root}"
names = ["deploy@web-1.example.org"]
sudo = true
"""
SYSTEMD = 'manager = "systemd"\nname = "praviel"'
SUPERVISOR = 'manager = "supervisor"\nname = "praviel"\nconfiguration = "/etc/supervisor/supervisord.conf"'


def environment(folder: Path, service: str = SYSTEMD, root: str = "/srv/praviel") -> Environment:
    path = folder / "inventory" / "production" / "environment.toml"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT.format(service=service, root=root))
    return load(folder / "inventory", "production")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt-get install systemd")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    def verify() -> str:
        asked = ["systemd-analyze", "verify", "--man=no", str(unit)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        ours = [line for line in (done.stdout + done.stderr).splitlines() if "praviel" in line]
        return "\n".join(line for line in ours if "User" not in line)

    unit = tmp_path / "praviel@blue.service"
    unit.write_text(hosting.files(environment(tmp_path), ADDRESSES)["praviel@.service"])
    assert verify() == ""

    unit.write_text(unit.read_text().replace("Type=exec", "Type=exce"))
    assert "exce" in verify(), "the gate can fail"


def test_caddy_takes_its_file_and_sends_requests_where_the_active_slot_listens(tmp_path: Path) -> None:
    root = tmp_path / "host"
    text = hosting.files(environment(tmp_path, root=str(root)), ADDRESSES)["caddy.json"]
    (file := tmp_path / "caddy.json").write_text(text)
    asked = [str(binary()), "validate", "--config", str(file)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr

    with servers.http(lambda _: servers.Reply(200, b"behind")) as port, caddy(tmp_path, text) as url:
        (root / "active").mkdir(parents=True)
        (root / "active" / "address").write_text(f"127.0.0.1:{port}")
        assert httpx.get(url, headers={"host": "api.example.org"}).text == "behind"


@contextlib.contextmanager
def caddy(folder: Path, text: str) -> Iterator[str]:
    """Caddy with this configuration, but for where it listens, and without TLS."""
    port, told = choose(), json.loads(text)
    told["admin"] = {"disabled": True}
    told["apps"]["http"]["servers"]["praviel"] |= {
        "listen": [f"127.0.0.1:{port}"],
        "automatic_https": {"disable": True},
    }
    (file := folder / "plain.json").write_text(json.dumps(told))
    log = (folder / "caddy.log").open("wb")
    process = subprocess.Popen(
        [str(binary()), "run", "--config", str(file)], env={"HOME": str(folder)}, stdout=log, stderr=log
    )
    try:
        until(lambda: httpx.get(f"http://127.0.0.1:{port}"), seconds=20, what="no answer", ignoring=(httpx.HTTPError,))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def test_supervisor_s_programs_start_the_slots_and_nothing_by_itself(tmp_path: Path) -> None:
    text = hosting.files(environment(tmp_path, SUPERVISOR), ADDRESSES)["praviel.conf"]
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)

    assert parsed.sections() == ["program:praviel-blue", "program:praviel-green"]
    assert parsed["program:praviel-green"]["command"] == "/bin/sh /srv/praviel/start green"
    assert parsed["program:praviel-green"]["autostart"] == "false"


def test_what_prepares_a_host_makes_what_a_deploy_expects(tmp_path: Path) -> None:
    root = tmp_path / "a folder's place"
    text = hosting.files(environment(tmp_path, root=str(root)), ADDRESSES)["prepare.sh"]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()

    for _ in range(2):
        subprocess.run(["sh", "-c", text.replace("deploy", user)], check=True, timeout=20)

    seen = slot_files.parse(Here().run(observe(str(root))).text, "here")
    assert seen.addresses == {Slot.BLUE: "127.0.0.1:8001", Slot.GREEN: "127.0.0.1:8002"}
    assert (seen.active, seen.proxy, seen.token, seen.releases) == (Slot.BLUE, "127.0.0.1:443", 0, ())


def test_rights_are_given_for_the_two_units_only(tmp_path: Path) -> None:
    text = hosting.files(environment(tmp_path), ADDRESSES)["praviel.sudoers"]

    rules = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(rules) == 4
    assert all(line.startswith("deploy ALL=(root) NOPASSWD: /usr/bin/systemctl ") for line in rules)


def test_addresses_that_are_none_are_refused(tmp_path: Path) -> None:
    opened = environment(tmp_path)
    for wrong in ({"blue": "8001", "green": "127.0.0.1:8002"}, {"blue": "127.0.0.1:1", "green": "127.0.0.1:1"}):
        with pytest.raises(InputError):
            hosting.files(opened, wrong)
