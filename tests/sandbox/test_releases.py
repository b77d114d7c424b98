"""The releases that a deploy must catch, put into the idle slot of a real sandbox, and what needs no migration."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.sandbox import repository
from runbooks.sandbox.world import Sandbox
from runbooks.systems.platform.hosting import Hosting, Placement, Release

NAME = "local-staging"
FIRST = "20251030_add_hnsw_vector_indexes"
"""The schema of v1, which the sandbox runs."""


@pytest.fixture
def site(sandbox: Sandbox) -> Iterator[Site]:
    opened = Site(load(sandbox.project / "inventory", NAME), sandbox.redactor)
    yield opened
    opened.close()


@contextmanager
def idle(sandbox: Sandbox, site: Site, revision: str) -> Iterator[httpx.Client]:
    """The release, running in the idle slot; afterwards the schema is the old one again."""
    hosting: Hosting = site.hosting
    (host,) = hosting.hosts
    change, slot = hosting.changes(hosting.observe(host).token), hosting.observe(host).idle
    commit = repository.build(sandbox.layout.repository)[revision]
    release = Release(f"{revision}-test", commit)
    change.build(host, release, say=lambda _: None)
    change.place(host, slot, Placement(release, "test"), site.variables)
    try:
        change.run_in_release(host, release, ["alembic", "upgrade", "head"], site.variables)
        change.start(host, slot, seconds=60)
        with hosting.reach(host, slot) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield client
    finally:
        change.stop(host, slot)
        change.run_in_release(host, release, ["alembic", "downgrade", FIRST], site.variables)


def test_a_deployed_release_runs_beside_the_one_that_serves_in_an_environment_of_its_own(
    sandbox: Sandbox, site: Site
) -> None:
    with idle(sandbox, site, "v7") as client:
        assert client.get("/").json()["message"].endswith("to read old texts")
        assert client.get("/health/db").json()["status"] == "ok"
        state = site.hosting.observe(site.hosting.hosts[0])
        assert state.active is not None
        assert state.slots[state.active].running
        assert state.slots[state.idle].running
        with sandbox.http(NAME) as serving:
            assert not serving.get("/").body.endswith(b'to read old texts"}')
    assert site.commit == sandbox.deployed(NAME)["commit"]


@pytest.mark.slow
def test_v4_is_never_healthy(sandbox: Sandbox, site: Site) -> None:
    with idle(sandbox, site, "v4") as client:
        assert [client.get("/health").status_code for _ in range(3)] == [500, 500, 500]


@pytest.mark.slow
def test_v5_is_well_until_it_is_used(sandbox: Sandbox, site: Site) -> None:
    def took() -> float:
        began = time.monotonic()
        assert client.get("/health").status_code == 200
        return time.monotonic() - began

    with idle(sandbox, site, "v5") as client:
        fresh = [took() for _ in range(15)]
        used = [took() for _ in range(12)]

    assert min(fresh) < 0.3
    assert min(used[-5:]) >= 0.4


def test_v6_and_v7_do_not_migrate_as_they_start(tmp_path: Path) -> None:
    repository.build(tmp_path / "repository")
    for revision, migrates in {"v3": True, "v4": True, "v5": True, "v6": False, "v7": False}.items():
        repository.checkout(tmp_path / "repository", revision, tmp_path / revision)
        assert ("alembic" in (tmp_path / revision / "railway.json").read_text()) is migrates
