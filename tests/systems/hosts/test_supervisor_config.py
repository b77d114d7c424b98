from __future__ import annotations

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.systems.hosts.supervisor_config import SupervisorConfig

MAIN = """\
[unix_http_server]
file = /run/supervisor.sock   ; the path to the socket
[supervisord]
logfile = /var/log/supervisor/100%%/supervisord.log
[include]
files = conf.d/*.conf /srv/more/*.conf
"""
PROGRAM = "[program:praviel]\ncommand = /srv/praviel/start\nautorestart = {policy}\n"


def test_the_interface_is_a_socket_or_a_port() -> None:
    port = SupervisorConfig.parse("main", "[inet_http_server]\nport = 127.0.0.1:9001\nusername = u\npassword = p%%q\n")

    assert SupervisorConfig.parse("main", MAIN).address().socket == "/run/supervisor.sock"
    assert (port.address().port, port.address().user) == (9001, "u")
    assert port.address().password.reveal() == "p%q"


@pytest.mark.parametrize("text", ["[supervisord]\n", "[inet_http_server]\nport = any\n"])
def test_without_an_interface_there_is_nobody_to_ask(text: str) -> None:
    with pytest.raises(SystemFault, match="no interface"):
        SupervisorConfig.parse("main", text).address()


def test_included_files_stand_beside_the_main_one() -> None:
    configuration = SupervisorConfig.parse("/etc/supervisor/supervisord.conf", MAIN)

    assert configuration.included() == ["/etc/supervisor/conf.d/*.conf", "/srv/more/*.conf"]
    assert configuration.own_log() == "/var/log/supervisor/100%/supervisord.log"


@pytest.mark.parametrize(
    ("written", "policy"),
    [("true", "true"), ("Yes", "true"), ("false", "false"), ("0", "false"), ("unexpected", "unexpected")],
)
def test_a_policy_is_read_as_supervisor_reads_it(written: str, policy: str) -> None:
    configuration = SupervisorConfig.parse("main", MAIN, PROGRAM.format(policy=written))

    assert configuration.autorestart("praviel") == policy


def test_without_a_policy_supervisors_default_holds() -> None:
    assert SupervisorConfig.parse("main", "[program:praviel]\n").autorestart("praviel") == "unexpected"


def test_a_program_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(SystemFault) as caught:
        SupervisorConfig.parse("main", PROGRAM.format(policy="true")).autorestart("shop")

    assert caught.value.found == "praviel"


def test_what_is_no_configuration_is_a_fault_that_shows_none_of_it() -> None:
    with pytest.raises(SystemFault) as caught:
        SupervisorConfig.parse("main", "password = s3cret-word\n")

    assert "s3cret" not in str(caught.value)
