"""A database with users' own API keys, encrypted as PRAVIEL does it, on the session's PostgreSQL."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from psycopg import sql

from runbooks.engine.secret import Secret
from runbooks.sandbox import ports, postgres_server
from runbooks.sandbox.world import Sandbox
from runbooks.steps.reencryption import Reencryption
from runbooks.systems.postgres.access import Access

TABLES = """
CREATE TABLE "user" (id serial PRIMARY KEY, email text NOT NULL, is_active boolean NOT NULL DEFAULT true,
                     deleted_at timestamptz);
CREATE TABLE user_api_config (
    id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES "user" (id), provider varchar(50) NOT NULL,
    encrypted_api_key text NOT NULL, meta jsonb, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), CONSTRAINT uq_user_provider UNIQUE (user_id, provider));
CREATE INDEX ix_user_api_config_user_id ON user_api_config (user_id);
"""
RUN = "20261128T081500.000Z-secrets.rotate-k3f9"


@dataclass(frozen=True)
class Keyring:
    """A database of its own, and the two keys of a rotation."""

    url: str
    old: str
    new: str

    @classmethod
    def at(cls, url: str) -> Keyring:
        return cls(url, Fernet.generate_key().decode(), Fernet.generate_key().decode())

    @property
    def access(self) -> Access:
        return Access(url=Secret("ADMIN", self.url))

    def reencryption(self, *, jobs: int = 1, batch: int = 10) -> Reencryption:
        made = Reencryption.of(self.access, RUN, Secret("ENCRYPTION_KEY", self.old), Secret("ENCRYPTION_KEY", self.new))
        return Reencryption(access=made.access, run=made.run, keys=made.keys, jobs=jobs, batch=batch)

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with self.access.connection(search_path="public") as connection:
            done = connection.execute(sql.SQL(statement))
            return [tuple(row.values()) for row in done.fetchall()] if done.description else []

    def fill(self, rows: int, *, deleted: int = 0) -> None:
        """One user with one key each; the first ones are softly deleted."""
        self.execute(f"""INSERT INTO "user" (email, is_active, deleted_at)
            SELECT 'u' || n, n > {deleted}, CASE WHEN n <= {deleted} THEN now() END
            FROM generate_series(1, {rows}) n""")
        key = Fernet(self.old)
        lines = "".join(f"{n}\topenai\t{key.encrypt(value_of(n)).decode()}\n" for n in range(1, rows + 1))
        with self.access.connection() as connection:
            columns = "public.user_api_config (user_id, provider, encrypted_api_key)"
            with connection.cursor().copy(f"COPY {columns} FROM STDIN") as copy:
                copy.write(lines)
            connection.execute("ANALYZE public.user_api_config")

    def save(self, user: int, value: str, key: str, provider: str = "google") -> None:
        """What the application does when a user saves a key, while it has this ENCRYPTION_KEY."""
        token = Fernet(key).encrypt(value.encode()).decode()
        self.execute(f"""INSERT INTO user_api_config (user_id, provider, encrypted_api_key)
            VALUES ({user}, '{provider}', '{token}')
            ON CONFLICT (user_id, provider) DO UPDATE SET encrypted_api_key = excluded.encrypted_api_key""")

    def values(self, key: str) -> dict[tuple[int, str], str]:
        """Every value by user and provider, opened as the application with this key does it; unreadable as ``!``."""
        fernet = Fernet(key)
        return {
            (int(str(user)), str(provider)): _opened(fernet, str(token))
            for user, provider, token in self.execute(
                "SELECT user_id, provider, encrypted_api_key FROM user_api_config"
            )
        }


def value_of(user: int) -> bytes:
    """The key that `Keyring.fill` gives a user."""
    return f"sk-proj-{user:040d}".encode()


def filled(rows: int) -> dict[tuple[int, str], str]:
    """What `Keyring.values` gives after `Keyring.fill`."""
    return {(user, "openai"): value_of(user).decode() for user in range(1, rows + 1)}


@contextlib.contextmanager
def keyring(sandbox: Sandbox) -> Iterator[Keyring]:
    """An empty one."""
    name = f"keyring_{secrets.token_hex(3)}"
    with sandbox.superuser() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        password = postgres_server.password(sandbox.layout).reveal()
        port = sandbox.numbers()[ports.POSTGRES]
        made = Keyring.at(f"postgresql://postgres:{password}@{ports.LOOPBACK}:{port}/{name}")
        made.execute(TABLES)
        yield made
    finally:
        with sandbox.superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _opened(key: Fernet, token: str) -> str:
    try:
        return key.decrypt(token).decode()
    except InvalidToken:
        return "!"
