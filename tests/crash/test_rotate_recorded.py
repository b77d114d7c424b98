"""A rotation of what was deployed is killed as it says so in the ledger: the ledger ends with what really runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks import project
from runbooks.sandbox.layout import Layout
from runbooks.systems.releases.record import Kind
from tests.crash.sandboxes import killed_at, succeeds
from tests.deploys import Deploys, deploys_in
from tests.sandbox.servers import open_folder

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]
KEY = "JWT_SECRET_KEY"
JWT = ("secrets.rotate", KEY, "--accept", "1000")
POINTS = ["after:intent/record", "before:outcome/record"]


@pytest.fixture(scope="module")
def deployed(installed: Layout) -> Iterator[Deploys]:
    with open_folder() as folder, deploys_in(folder, installed, "v1") as made:
        yield made


@pytest.fixture
def deploys(deployed: Deploys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploys]:
    monkeypatch.setenv(project.VARIABLE, str(deployed.shell.project))
    yield deployed
    deployed.close()


def recorded(deploys: Deploys) -> str | None:
    """The variables that the ledger says what runs has; nothing contradicts it."""
    assert succeeds(deploys.shell, "release.status").endswith("CONSISTENT local (sandbox)\n")
    current = deploys.releases().history().current
    assert current
    return current.variables


def served(deploys: Deploys) -> str:
    hosting = deploys.site().hosting
    serving = hosting.serving(hosting.hosts[0])
    assert serving
    return serving.fingerprint


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_record_is_made_once(point: str, deploys: Deploys) -> None:
    before = recorded(deploys)
    killed_at(deploys.shell, point, *JWT)

    succeeds(deploys.shell, "secrets.resume", KEY)

    assert recorded(deploys) == served(deploys) != before
    entries = deploys.releases().entries()
    assert [each.kind for each in entries if each.run == entries[-1].run] == [Kind.RENEWED]


@pytest.mark.parametrize("point", ["before:outcome/record", "before:undo-outcome/record"])
def test_a_record_is_taken_back_with_the_rotation(point: str, deploys: Deploys) -> None:
    before, serving = recorded(deploys), served(deploys)
    killed_at(deploys.shell, "before:outcome/record", *JWT)
    if point.startswith("before:undo"):
        killed_at(deploys.shell, point, "secrets.abort", KEY)

    succeeds(deploys.shell, "secrets.abort", KEY, code=6)

    assert (recorded(deploys), served(deploys)) == (before, serving)
