"""PostgreSQL restarted and killed under a dump and a restore; a client killed that builds an index."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from runbooks.engine.wait import until
from runbooks.sandbox import ports, postgres_server
from runbooks.sandbox.world import Sandbox
from tests.test_backup import hammering
from tests.vaults import RICH, Vault, vault_of

pytestmark = pytest.mark.crash

ROWS = (
    "CREATE TABLE ballast AS SELECT n, md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, 1500000) n;"
)


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path) -> Iterator[Vault]:
    text = RICH.read_text(encoding="utf-8") + "SET search_path = public;" + ROWS
    with vault_of(sandbox, tmp_path, text) as made:
        yield made


@contextlib.contextmanager
def restarting(vault: Vault, program: str, how: signal.Signals) -> Iterator[None]:
    """As soon as this program works for the vault, its server ends like this; after the block, it answers again."""
    over, ended = threading.Event(), list[psutil.Process]()

    def end() -> None:
        while not over.wait(0.02):
            if any(program in words for words in command_lines(vault)):
                ended.append(postmaster(vault))
                ended[0].send_signal(how)
                return

    thread = threading.Thread(target=end)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        assert ended, f"no {program} was seen at work"
        ended[0].wait(30)  # the process manager starts the next one
        postgres_server.ready(vault.sandbox.layout, vault.sandbox.numbers()[ports.POSTGRES], seconds=60)
        vault.sandbox.wait_until_it_answers("local")


def command_lines(vault: Vault) -> list[str]:
    """Of PostgreSQL's programs that read or write the vault's archives."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if process.info["name"] in ("pg_dump", "pg_restore") and str(vault.project) in line and "--list" not in line:
            found.append(line)
    return found


def postmaster(vault: Vault) -> psutil.Process:
    return psutil.Process(int((vault.sandbox.layout.postgres_data / "postmaster.pid").read_text().split()[0]))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
def test_a_server_that_ends_during_a_dump_leaves_no_snapshot(vault: Vault, how: signal.Signals) -> None:
    with restarting(vault, "pg_dump", how), hammering(vault, until_cut=True) as written:
        done = vault.shell.invoke("backup.create", "--env", vault.name)

    assert done.returncode == 6, done.stdout + done.stderr
    assert written[0] > 0
    assert list(vault.snapshots().shelf.store.names("snapshots/")) == []
    vault.create()
    assert "PROVEN" in vault.on("backup.restore")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
def test_a_server_that_ends_during_a_restore_leaves_nothing_that_is_not_found(
    vault: Vault, how: signal.Signals
) -> None:
    vault.create()

    with restarting(vault, "pg_restore", how):
        done = vault.shell.invoke("backup.restore", "--env", vault.name)

    assert done.returncode in (6, 7), done.stdout + done.stderr
    if done.returncode == 7:  # the server was not back yet when the new database was to be dropped
        run = max(path.name for path in (vault.project / "var" / "runs" / vault.name).iterdir())
        assert vault.shell.invoke("runs.abort", run).returncode == 6
    assert vault.siblings() == []
    assert "PROVEN" in vault.on("backup.restore")


@pytest.mark.case(69)
def test_an_index_is_not_built_on_for_a_client_that_was_killed(sandbox: Sandbox, tmp_path: Path) -> None:
    text = """
    CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE TABLE many AS SELECT n FROM generate_series(1, 3000) n;
    CREATE INDEX many_slow ON many (slow(n));
    CREATE OR REPLACE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN PERFORM pg_sleep(0.1); RETURN $1; END';
    """
    with vault_of(sandbox, tmp_path, text) as vault:
        vault.create()
        process = vault.shell.start("backup.restore", "--env", vault.name)
        try:
            until(lambda: building(vault) > 0, seconds=60, what="no index was built")
        finally:
            process.kill()
            process.communicate()

        until(lambda: building(vault) == 0, seconds=15, what="the server goes on building an index for nobody")


def building(vault: Vault) -> int:
    """Sessions that build an index in a sibling."""
    (row,) = vault.execute(
        "SELECT count(*) AS n FROM pg_stat_activity"
        f" WHERE starts_with(datname, '{vault.database}__') AND query LIKE 'CREATE INDEX%'"
        " AND state = 'active'",
        "postgres",
    )
    return int(row["n"])
