"""What a proven copy of a database costs beyond PostgreSQL's own programs, on the same server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from runbooks import project
from runbooks.systems.postgres import programs
from runbooks.systems.postgres.fingerprint import fingerprints, tables
from runbooks.systems.postgres.snapshot import seeing
from tests.benchmarks.databases import Bench, benched
from tests.benchmarks.paired import Row, table
from tests.benchmarks.processor import Cost, cost_of
from tests.conftest import CHECKOUT
from tests.test_backup import in_bucket
from tests.vaults import Vault

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

PEAK = Path(__file__).parent / "programs" / "peak.py"
ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "2"))
JOBS = 2
MEMORY_MB = 256


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with benched() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    return tmp_path


class Bare:
    """PostgreSQL's own programs, as an operator would call them who knows them well."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.archive = vault.project / "bare"
        self.programs = vault.snapshots().programs(vault.access.server_version() // 10000)
        self.target = f"{vault.database}__bare"

    def dump(self, *more: str) -> None:
        shutil.rmtree(self.archive, ignore_errors=True)
        self._run("pg_dump", self.vault.database, *(more or ("-Fd", f"-j{JOBS}", "-Z1", f"--file={self.archive}")))

    def restore(self, **settings: str) -> None:
        with self.vault.access.connection("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.target}"')
            connection.execute(f'CREATE DATABASE "{self.target}" TEMPLATE template0')
        self._run(
            "pg_restore", self.target, f"-j{JOBS}", "-e", f"--dbname={self.target}", str(self.archive), **settings
        )

    def restore_tuned(self) -> None:
        self.restore(
            maintenance_work_mem=f"{MEMORY_MB}MB",
            max_parallel_maintenance_workers=str(JOBS),
            synchronous_commit="off",
        )

    def _run(self, name: str, database: str, *arguments: str, **settings: str) -> None:
        variables = self.programs.environment(self.vault.access.environment(database, **settings))
        subprocess.run([self.programs.path(name), *arguments], env=variables, check=True, stdout=subprocess.DEVNULL)


def ours(vault: Vault, *words: str, peak: Path | None = None, no_room: bool = False) -> None:
    """A command as a process of its own, as operators start it.

    Args:
        peak: The file into which it writes the most memory that it ever had.
        no_room: Have it find no room for a dump on this machine; only with ``peak``.
    """
    program = [sys.executable, PEAK] if peak else [sys.executable, "-m", "invoke"]
    more = ({"PEAK_FILE": str(peak)} if peak else {}) | ({"NO_ROOM": "1"} if no_room else {})
    done = subprocess.run(
        [*program, *words, "--env", vault.name],
        cwd=CHECKOUT,
        env=vault.shell.environment(more),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def quiet(bench: Bench, vault: Vault) -> None:
    """What the server still owes is paid before the next measurement; siblings of the last one are gone."""
    for sibling in vault.siblings():
        vault.execute(f"DROP DATABASE {sibling} WITH (FORCE)", "postgres")
    with bench.sandbox.superuser() as connection:
        connection.execute("CHECKPOINT")


def _with_its_debts(bench: Bench, work: Callable[[], object]) -> None:
    """Whoever fills the server's memory pays for writing it out."""
    work()
    with bench.sandbox.superuser() as connection:
        connection.execute("CHECKPOINT")


def measured(bench: Bench, vault: Vault, cases: dict[str, Callable[[], object]]) -> dict[str, list[Cost]]:
    """Each case in each round, one after the other."""
    found: dict[str, list[Cost]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, work in cases.items():
            quiet(bench, vault)
            found[name].append(cost_of(partial(_with_its_debts, bench, work), bench.postmaster))
            cost = found[name][-1]
            print(f"{name}: {cost.client:.1f} + {cost.server:.1f} s of processors, {cost.wall:.1f} s", flush=True)
    return found


def shown(title: str, rows: list[Row], processor: dict[str, list[float]]) -> None:
    print("\n" + table(title, rows, processor, measured="median processor time, client and server"))


def test_a_drill_with_its_proof_costs_little_more_than_dump_and_restore(bench: Bench, folder: Path) -> None:
    with bench.vault("rows", folder) as vault:
        vault.backup = f'jobs = {JOBS}\nrestore_memory_mb = {MEMORY_MB}\ncompression = "gzip:1"'
        vault.write()
        bare = Bare(vault)

        def dump_and_restore() -> None:
            bare.dump()
            bare.restore_tuned()

        def fingerprint() -> None:
            with seeing(vault.access) as connection:
                known = tables(connection)
            fingerprints(vault.access, known, jobs=JOBS, stopping=threading.Event())

        def create_and_drill() -> None:
            ours(vault, "backup.create")
            ours(vault, "backup.drill")

        found = measured(
            bench,
            vault,
            {
                "pg_dump -Fd -j2 -Z1": bare.dump,
                "pg_dump and pg_restore -j2, tuned": dump_and_restore,
                "fingerprints": fingerprint,
                "backup.create": lambda: ours(vault, "backup.create"),
                "backup.create and backup.drill": create_and_drill,
            },
        )
        processor = {name: [cost.processor for cost in costs] for name, costs in found.items()}
    rows = [
        Row(case="pg_dump -Fd -j2 -Z1"),
        Row(case="pg_dump and pg_restore -j2, tuned"),
        Row(case="fingerprints", against="pg_dump -Fd -j2 -Z1", at_most=0.25),
        Row(case="backup.create", against="pg_dump -Fd -j2 -Z1"),
        Row(case="backup.create and backup.drill", against="pg_dump and pg_restore -j2, tuned", at_most=1.15),
    ]
    shown("A drill, proof included", rows, processor)


def test_vectors_are_restored_with_the_memory_they_need(bench: Bench, folder: Path) -> None:
    with bench.vault("vectors", folder) as vault:
        vault.backup = f"jobs = {JOBS}\nrestore_memory_mb = {MEMORY_MB}"
        vault.write()
        ours(vault, "backup.create")
        bare = Bare(vault)
        bare.dump()
        cases: dict[str, Callable[[], object]] = {
            "pg_restore -j2 with the server's defaults": bare.restore,
            "backup.restore": lambda: ours(vault, "backup.restore"),
        }
        found = measured(bench, vault, cases)
    rows = [
        Row(case="backup.restore"),
        Row(case="pg_restore -j2 with the server's defaults", against="backup.restore", at_least=2.5),
    ]
    shown("Vector indexes", rows, {name: [cost.processor for cost in costs] for name, costs in found.items()})


def test_streaming_to_the_store_costs_little_more_than_dumping(bench: Bench, folder: Path) -> None:
    """The upload alone: fingerprints are measured above, and the store's own work is the store's."""
    with bench.vault("rows", folder) as vault:
        in_bucket(vault, prefix="bench")
        vault.write()
        bare, shelf = Bare(vault), vault.snapshots().shelf
        argv = [bare.programs.path("pg_dump"), "-Fc", "-Z1"]
        variables = bare.programs.environment(vault.access.environment(vault.database))

        def stream() -> None:
            with programs.running(argv, variables, stopping=threading.Event(), stdout=subprocess.PIPE) as process:
                shelf.objects.upload("bench/archive", cast("BinaryIO", process.stdout), expected=1 << 30)

        found = measured(bench, vault, {"pg_dump -Fc -Z1": lambda: bare.dump("-Fc", "-Z1"), "streamed": stream})
        shelf.objects.remove("")
    rows = [Row(case="pg_dump -Fc -Z1"), Row(case="streamed", against="pg_dump -Fc -Z1", at_most=1.10)]
    shown("Streaming to a bucket", rows, {name: [cost.processor for cost in costs] for name, costs in found.items()})
    print(
        "\n"
        + table("The same on the wall", rows, {name: [cost.wall for cost in costs] for name, costs in found.items()})
    )


def test_memory_stays_flat(bench: Bench, folder: Path) -> None:
    """The most that our process ever holds, with a database of 100 MB and with one of 2 GB."""
    peaks: dict[str, dict[str, int]] = {}
    for name in ("bulk_100", "bulk_2000"):
        project_folder = folder / name
        project_folder.mkdir()
        with bench.vault(name, project_folder) as vault:
            in_bucket(vault, prefix=f"peak-{name}")
            vault.write()
            for words, streamed in (
                (("backup.create",), False),
                (("backup.create",), True),
                (("backup.verify",), False),
                (("backup.drill",), False),
            ):
                quiet(bench, vault)
                file = folder / "peak"
                ours(vault, *words, peak=file, no_room=streamed)
                label = f"{words[0]}{', streamed' if streamed else ''}"
                peaks.setdefault(label, {})[name] = int(file.read_text()) >> 10
            vault.snapshots().shelf.objects.remove("")
    print("\n**Most memory of our process, in MiB**\n\n| command | 100 MB | 2 GB | grows |\n|---|---|---|---|")
    for label, found in peaks.items():
        small, large = found["bulk_100"], found["bulk_2000"]
        print(
            f"| {label} | {small} | {large} | {large - small}, at most 64: {'yes' if large - small <= 64 else 'NO'} |"
        )
