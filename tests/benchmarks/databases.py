"""A server of its own with databases to measure, made once, the same each time, and kept for the next run."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from psycopg import sql

from runbooks.sandbox import environments
from runbooks.sandbox.files import update_state
from runbooks.sandbox.postgres_server import STATE
from runbooks.sandbox.world import Sandbox
from tests.benchmarks.peers import FOLDER
from tests.conftest import Shell, new_project
from tests.vaults import Vault

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "autovacuum": "off"}
"""Of a server that is not starved, and whose own work is not measured with ours."""

ROWS = """
CREATE TABLE account (id int PRIMARY KEY, branch int, balance numeric(12,2), filler char(84));
INSERT INTO account SELECT n, n % 50, n / 7.0, '' FROM generate_series(1, 3000000) n;
CREATE TABLE doc (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, made timestamptz, title text, body text, meta jsonb,
    tags text[], score float8, ratio real, amount numeric(18,6), span interval, flag boolean, address inet,
    hash bytea, ext uuid, words tsvector, title_length int GENERATED ALWAYS AS (length(title)) STORED);
INSERT INTO doc (made, title, body, meta, tags, score, ratio, amount, span, flag, address, hash, ext, words)
SELECT '2026-01-01'::timestamptz + n * interval '1 second', 'title ' || n || ' ' || md5(n::text),
       (SELECT string_agg(md5((n * 7 + k)::text), ' ') FROM generate_series(1, 18 + n % 9) k),
       jsonb_build_object('k', n, 'a', array[n % 7, n % 11], 's', md5((n * 3)::text)),
       array['t' || n % 5, 'ü' || n % 13],
       sin(n) * 1e6, cos(n)::real, n * 1.000001, n % 1000 * interval '1 hour', n % 2 = 0,
       ('10.0.' || n / 250 % 250 || '.' || n % 250)::inet, decode(md5(n::text), 'hex'), md5(n::text)::uuid,
       to_tsvector('simple', 'w' || n % 1000 || ' x' || n % 77)
FROM generate_series(1, 500000) n;
CREATE INDEX ON doc USING gin (meta); CREATE INDEX ON doc (made); CREATE INDEX ON doc (lower(title));
CREATE TABLE event (id bigint, at timestamptz NOT NULL, kind int, payload text) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2026-02-01') TO ('2027-01-01');
INSERT INTO event
SELECT n, '2026-01-01'::timestamptz + n % 90 * interval '1 day', n % 9, md5(n::text) || md5((n + 1)::text)
FROM generate_series(1, 1000000) n;
CREATE INDEX ON event (at); CREATE INDEX ON event (kind);
"""
"""Some 1.4 GB with indexes, of many types, without vectors: of them the restore's time would be spent in one index."""

VECTORS = """
SELECT setseed(0.42);
CREATE TABLE embedding (id int PRIMARY KEY, v vector(384) NOT NULL);
INSERT INTO embedding
SELECT n, (SELECT array_agg(random()::real) FROM generate_series(1, 384) WHERE n = n)::vector(384)
FROM generate_series(1, 100000) n;
SET maintenance_work_mem = '1GB';
CREATE INDEX ON embedding USING hnsw (v vector_l2_ops);
"""


def bulk(megabytes: int) -> str:
    """Tables of 50 MB each that do not compress well."""
    tables = [
        f"CREATE TABLE bulk_{part} AS SELECT n, decode(string_agg(md5((n * {part + 1} + k)::text), ''), 'hex') AS body"
        " FROM generate_series(1, 6000) n, generate_series(1, 500) k GROUP BY n;"
        for part in range(megabytes // 50)
    ]
    return "\n".join(tables)


CONTENTS: Mapping[str, str] = {"rows": ROWS, "vectors": VECTORS, "bulk_100": bulk(100), "bulk_2000": bulk(2000)}


@dataclass(frozen=True)
class Bench:
    """The server; `vault` makes an environment of one of its databases."""

    shell: Shell
    sandbox: Sandbox

    @property
    def postmaster(self) -> psutil.Process:
        return psutil.Process(int((self.sandbox.layout.postgres_data / "postmaster.pid").read_text().split()[0]))

    @contextlib.contextmanager
    def vault(self, name: str, folder: Path) -> Iterator[Vault]:
        """An environment in a project of its own; siblings that were made are dropped."""
        self._have(name)
        vault = Vault(folder, self.sandbox, f"bench_{name}")
        vault.write()
        try:
            yield vault
        finally:
            for sibling in vault.siblings():
                vault.execute(f"DROP DATABASE {sibling} WITH (FORCE)", "postgres")

    def _have(self, name: str) -> None:
        """The database as it always is: filled under another name, so that a half one is never taken for it."""
        database = f"bench_{name}"
        with self.sandbox.superuser() as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone():
                return
            half = sql.Identifier(f"half_{secrets.token_hex(3)}")
            owner = sql.Identifier(environments.database("local"))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(half, owner))
        made = half.as_string().strip('"')
        with Vault(self.shell.project, self.sandbox, made).access.connection(search_path="public") as connection:
            connection.execute("CREATE EXTENSION vector SCHEMA public")
            connection.execute(sql.SQL(CONTENTS[name]))
            connection.execute("VACUUM (ANALYZE)")
        with self.sandbox.superuser() as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(half, sql.Identifier(database)))


@contextlib.contextmanager
def benched() -> Iterator[Bench]:
    """The server, started; its data stays when it is stopped."""
    project = FOLDER / "backup"
    shell = Shell(project) if project.exists() else new_project(project)
    sandbox = Sandbox.of(project)
    sandbox.make_folders()
    update_state(sandbox.layout, STATE, SETTINGS)
    up = shell.invoke("sandbox.up")
    assert up.returncode == 0, up.stdout + up.stderr
    try:
        yield Bench(shell, Sandbox.of(project))
    finally:
        shell.invoke("sandbox.down")
