"""What keeps the application running, as an inventory declares it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.environment.hosting import ManagerKind
from runbooks.environment.load import load
from runbooks.environment.platforms import open_platform, worker_plan
from runbooks.environment.value import SecretRef
from tests.environment.inventories import damaged, inventory_with

HOSTS = 'kind = "hosts"\n'
SUPERVISOR = '[platform.service]\nmanager = "supervisor"\nname = "praviel"\nconfiguration = "etc/s.conf"'
DEPLOYED = '[platform.hosts]\nnames = ["web-1"]\n'
SYSTEMD = '[platform.service]\nmanager = "systemd"\nname = "praviel.service"'


def platform(text: str) -> str:
    return damaged('kind = "railway"', text)


def test_a_services_files_begin_at_the_projects_folder(tmp_path: Path) -> None:
    text = platform(f'{HOSTS}{SUPERVISOR}\nbuilds = "builds.jsonl"')
    service = load(inventory_with(tmp_path, production=text), "production").platform.service

    assert service is not None
    assert service.manager is ManagerKind.SUPERVISOR
    assert (service.configuration, service.builds) == (tmp_path / "etc/s.conf", tmp_path / "builds.jsonl")


def test_a_folder_here_begins_at_the_projects_and_one_elsewhere_is_as_it_is_written(
    tmp_path: Path,
) -> None:
    here = platform(f'{HOSTS}{SYSTEMD}\n[platform.hosts]\nroot = "var/host"\ninstall = "make-venv"')
    there = platform(f'{HOSTS}{SYSTEMD}\n{DEPLOYED}root = "/srv/praviel"')
    inventory = inventory_with(tmp_path, here=here, there=there)

    ours, theirs = (load(inventory, name).platform.hosts for name in ("here", "there"))

    assert ours is not None
    assert theirs is not None
    assert (ours.root, ours.install) == (tmp_path / "var/host", tmp_path / "make-venv")
    assert (theirs.root, theirs.install) == (Path("/srv/praviel"), None)


def test_hosts_are_dedicated_and_railways_plan_is_to_be_declared(tmp_path: Path) -> None:
    named = platform('kind = "railway"\nworker_plan = { secret = "PLAN" }')
    inventory = inventory_with(tmp_path, a=platform('kind = "railway"'), b=platform(HOSTS), c=named)

    plans = [load(inventory, name).platform.worker_plan for name in ("a", "b", "c")]

    assert plans == [None, "dedicated", SecretRef("PLAN")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'kind = "railway"\n{SYSTEMD}', "'platform.service' has no use with kind = \"railway\""),
        (f"{HOSTS}{SUPERVISOR.replace('configuration', 'builds')}", "missing key 'platform.service.configuration'"),
        (f'{HOSTS}{SYSTEMD}\nconfiguration = "x"', 'has no use with manager = "systemd"'),
        (f"{HOSTS}{SYSTEMD.replace('systemd', 'systmd')}", "did you mean 'systemd'?"),
        (f'{HOSTS}worker_plan = "railway-fre"', "did you mean 'railway-free'?"),
        (f'{HOSTS}worker_plan = {{ secret = "A B" }}', "'platform.worker_plan' must name"),
        (f'{HOSTS}{SYSTEMD}\n{DEPLOYED}root = "srv/praviel"', "'platform.hosts.root' lies on other machines"),
        (f'{HOSTS}{SYSTEMD}\n{DEPLOYED}root = "/srv/x"\ninstall = "make-venv"', "'platform.hosts.install' lies on"),
        (f"{HOSTS}build_timeout_seconds = 0", "must be at least 1"),
        (f"{HOSTS}[platform.limits]\nmemory_mib = [9, 8]", "the lowest and the highest"),
        (f"{HOSTS}[platform.limits]\nopen_files = [0, 8]", "the lowest and the highest"),
        (f"{HOSTS}[platform.limits]\nopen_files = 8", "a list of two whole numbers"),
    ],
)
def test_what_can_not_be_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(inventory_with(tmp_path, production=platform(text)), "production")

    assert words in str(caught.value)


def test_what_nobody_can_be_asked_about_says_what_to_declare(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, a=platform('kind = "railway"'), b=platform(HOSTS))

    with pytest.raises(SystemFault, match="railway can't be asked: that is not built"):
        open_platform(load(inventory, "a").platform)
    with pytest.raises(SystemFault) as caught:
        open_platform(load(inventory, "b").platform)
    assert caught.value.mend == "declare platform.service.manager and platform.service.name"


def test_a_plan_that_is_kept_elsewhere_must_be_one(tmp_path: Path) -> None:
    assert worker_plan("railway-paid") == "railway-paid"
    with pytest.raises(InputError, match="no plan that is known"):
        worker_plan("huge")
