"""A Secrets Manager to ask: moto's server in a process of its own kind, on a port that the system gives."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

from runbooks.engine.secret import Secret
from runbooks.systems.secrets.secrets_manager import SecretsManager, SecretsManagerVersions


@contextlib.contextmanager
def running() -> Iterator[SecretsManager]:
    """Where it listens, and who may ask it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield SecretsManager(
            region="eu-central-1",
            endpoint=f"http://{host}:{port}",
            access_key=Secret("ACCESS", "testing-access-key"),
            secret_key=Secret("SECRET", "testing-secret-key"),
        )
    finally:
        server.stop()


def inventory_of(declared: SecretsManager, prefix: str) -> str:
    """The tables by which an inventory declares it; VAULT_ACCESS and VAULT_SECRET are in `ENVIRON`."""
    return (
        f'\n[secret_store]\nkind = "secrets-manager"\nprefix = "{prefix}"\nregion = "{declared.region}"\n'
        f'endpoint = "{declared.endpoint}"\n'
        'access_key = { secret = "VAULT_ACCESS" }\nsecret_key = { secret = "VAULT_SECRET" }\n'
    )


ENVIRON = {"VAULT_ACCESS": "testing-access-key", "VAULT_SECRET": "testing-secret-key"}


def fresh_prefix() -> str:
    """One that no other test has: moto's servers in one process hold the same secrets."""
    return f"praviel/{secrets.token_hex(4)}/"


def create(declared: SecretsManager, prefix: str, **values: str) -> None:
    """Secrets with one version each."""
    client = SecretsManagerVersions(declared)._client
    for name, value in values.items():
        client.create_secret(Name=f"{prefix}{name}", SecretString=value)
