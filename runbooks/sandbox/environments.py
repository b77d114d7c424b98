"""What each of the sandbox's environments is deployed with, and what its operator holds."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from runbooks.engine.secret import Secret
from runbooks.sandbox import names, ports, postgres_install, postgres_server, rotated, support_accounts
from runbooks.sandbox.files import private_folder, read_state, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.people import write_people

ENVIRONMENTS = ("local", "local-staging")
MODES = {"local": "production", "local-staging": "staging"}
REDIS_DATABASES = {"local": 0, "local-staging": 1}
KEY_PREFIXES = {"openai": "sk-proj-", "anthropic": "sk-ant-api03-", "google": "AQ.", "resend": "re_"}
OVERRIDES = "variables"
"""The entry of the sandbox's state that holds changed variables per environment; None means unset."""

OPERATOR_OVERRIDES = "operator-variables"
"""The entry that holds what an operator changed of the values that he holds, per environment."""


def database(name: str) -> str:
    """The name of an environment's database, and of the role that owns it."""
    return "praviel_" + name.replace("-", "_")


SCRATCH = "praviel_scratch"
"""The name of the empty database that scratch databases are copies of, and of its role."""


def write_variables(layout: Layout, name: str, numbers: Mapping[str, int], commit: str) -> None:
    """Write the environment's variables and its operator's credentials; secrets are made once and kept.

    Args:
        numbers: The sandbox's ports by name.
        commit: The git commit that the environment runs, as the platform would tell the application.
    """
    private_folder(layout.environment(name))
    rotated.adopt(layout, name)
    variables = _variables(layout, name, numbers, commit)
    for key, value in read_state(layout).get(OVERRIDES, {}).get(name, {}).items():
        if value is None:
            variables.pop(key, None)
        else:
            variables[key] = value
    write_private(layout.variables(name), rotated.told(variables) + _dotenv(variables))
    write_private(vault(layout, name), "")
    third_parties = f"http://{ports.LOOPBACK}:{numbers[ports.PROVIDER]}"
    operator = {
        "APPLICATION_URL": names.api_url(name, numbers),
        "APPLICATION_PLAIN_URL": names.plain_url(name, numbers),
        "DNS_SERVER": f"{ports.LOOPBACK}:{numbers[ports.DNS]}",
        "DATABASE_URL": database_url(layout, name, numbers),
        "ADMIN_DATABASE_URL": _admin_url(layout, name, numbers),
        "POSTGRES_BIN": str(postgres_install.install_folder(layout) / "bin"),
        "REDIS_URL": _redis_url(layout, name, numbers),
        "SCRATCH_DATABASE_URL": _scratch_url(layout, numbers),
        "PROVIDER_URL": _provider(numbers),
        "FINGERPRINT_KEY": fingerprint_key(layout),
        "OPENAI_URL": f"{third_parties}/openai/v1",
        "OPENAI_ADMIN_KEY": admin_key(layout, "openai"),
        "ANTHROPIC_URL": f"{third_parties}/anthropic/v1",
        "ANTHROPIC_ADMIN_KEY": admin_key(layout, "anthropic"),
        "GOOGLE_URL": f"{third_parties}/google/v1beta",
        "MAIL_URL": f"{third_parties}/resend",
        "MAIL_ADMIN_KEY": admin_key(layout, "resend"),
        "WORKER_PLAN": "railway-free",
        "RESIDENT_PASSWORD": resident_password(layout, name),
        "AGE_IDENTITY": age_identity(layout, name),
        "AGE_RECIPIENT": age_recipient(layout, name),
    }
    operator |= support_accounts.operator_secrets(layout, _provider(numbers))
    operator |= read_state(layout).get(OPERATOR_OVERRIDES, {}).get(name, {})
    write_private(layout.operator_variables(name), _dotenv(operator))
    write_people(layout, name)


def vault(layout: Layout, name: str) -> Path:
    """The file with what the vault of the environment's people has otherwise than the application's variables."""
    return layout.environment(name) / "vault.env"


def database_password(layout: Layout, name: str) -> str:
    """The password of the role that owns the environment's database."""
    return _kept(layout.environment(name) / "database-password", _token)


def redis_user(name: str) -> str:
    """The environment's user of the Redis server."""
    return database(name)


def redis_password(layout: Layout, name: str) -> str:
    """The password of the environment's user of the Redis server."""
    private_folder(layout.environment(name))
    return _kept(layout.environment(name) / "redis-password", _token)


def redis_users(layout: Layout) -> dict[str, Secret]:
    """Each environment's user of the Redis server, and its password."""
    return {redis_user(name): Secret("redis", redis_password(layout, name)) for name in ENVIRONMENTS}


def scratch_password(layout: Layout) -> str:
    """The password of the role that makes scratch databases."""
    return _kept(layout.environments / "scratch-password", _token)


def resident_password(layout: Layout, name: str) -> str:
    """The password of the user who lives in the environment; it keeps the application's rules."""
    return _kept(layout.environment(name) / "resident-password", new_password)


def new_password() -> str:
    """One that the application accepts: every class of character, and none four times in a row."""
    return f"aZ7!{'-'.join(secrets.token_hex(1) for _ in range(12))}"


def fingerprint_key(layout: Layout) -> str:
    """What the operator's fingerprints of values are keyed with."""
    return _kept(layout.environments / "fingerprint-key", _token)


def age_identity(layout: Layout, name: str) -> str:
    """The private key that reads the environment's snapshots and the copies of its variables."""

    def make() -> str:
        import pyrage

        return str(pyrage.x25519.Identity.generate())

    return _kept(layout.environment(name) / "age-identity", make)


def age_recipient(layout: Layout, name: str) -> str:
    """The public key that belongs to `age_identity`."""

    def make() -> str:
        import pyrage

        return str(pyrage.x25519.Identity.from_str(age_identity(layout, name)).to_public())

    return _kept(layout.environment(name) / "age-recipient", make)


def provider_key(layout: Layout, name: str, provider: str) -> str:
    """The environment's key at a provider."""
    return _kept(layout.environment(name) / f"{provider}-key", lambda: KEY_PREFIXES[provider] + _token())


def admin_key(layout: Layout, provider: str) -> str:
    """The operator's key at a provider, which sees every environment's project."""
    prefix = {"openai": "sk-admin-", "anthropic": "sk-ant-admin01-", "resend": "re_"}[provider]
    return _kept(layout.environments / f"{provider}-admin-key", lambda: prefix + _token())


def _variables(layout: Layout, name: str, numbers: Mapping[str, int], commit: str) -> dict[str, str]:
    provider = _provider(numbers)
    return {
        "ENVIRONMENT": MODES[name],
        "RAILWAY_GIT_COMMIT_SHA": commit,
        "UVICORN_WORKERS": "1",
        "DATABASE_URL": _application_url(layout, name, numbers),
        "DB_POOL_SIZE": "20",
        "DB_MAX_OVERFLOW": "10",
        "REDIS_URL": _redis_url(layout, name, numbers),
        "JWT_SECRET_KEY": _kept(layout.environment(name) / "jwt-key", _token),
        "ENCRYPTION_KEY": _kept(layout.environment(name) / "encryption-key", _fernet_key),
        "BYOK_ENABLED": "true",
        "ALLOW_DEV_CORS": "false",
        "ECHO_FALLBACK_ENABLED": "false",
        "FRONTEND_URL": names.frontend_url(numbers),
        "OPENAI_API_KEY": provider_key(layout, name, "openai"),
        "OPENAI_API_BASE": f"{provider}/openai/v1",
        "ANTHROPIC_API_KEY": provider_key(layout, name, "anthropic"),
        "ANTHROPIC_API_BASE": f"{provider}/anthropic/v1",
        "GOOGLE_API_KEY": provider_key(layout, name, "google"),
        "GOOGLE_API_BASE": f"{provider}/google/v1beta",
        "EMAIL_PROVIDER": "resend",
        "EMAIL_FROM_ADDRESS": "noreply@praviel.test",
        "EMAIL_FROM_NAME": "PRAVIEL",
        "RESEND_API_KEY": provider_key(layout, name, "resend"),
        "RESEND_API_BASE": f"{provider}/resend",
        **support_accounts.variables(layout, provider),
    }


def _provider(numbers: Mapping[str, int]) -> str:
    return f"http://{ports.LOOPBACK}:{numbers[ports.PROVIDER]}"


def database_url(layout: Layout, name: str, numbers: Mapping[str, int]) -> str:
    """The environment's database, as its owner reaches it."""
    role, password = database(name), database_password(layout, name)
    return f"postgresql://{role}:{password}@{ports.LOOPBACK}:{numbers[ports.POSTGRES]}/{role}"


def _application_url(layout: Layout, name: str, numbers: Mapping[str, int]) -> str:
    """The environment's database, as its application reaches it: as its owner, or as a role that a rotation made."""
    login = layout.environment(name) / rotated.LOGIN
    if not login.exists():
        return database_url(layout, name, numbers)
    return f"postgresql://{login.read_text()}@{ports.LOOPBACK}:{numbers[ports.POSTGRES]}/{database(name)}"


def _scratch_url(layout: Layout, numbers: Mapping[str, int]) -> str:
    return f"postgresql://{SCRATCH}:{scratch_password(layout)}@{ports.LOOPBACK}:{numbers[ports.POSTGRES]}/{SCRATCH}"


def _admin_url(layout: Layout, name: str, numbers: Mapping[str, int]) -> str:
    password = postgres_server.password(layout).reveal()
    where = f"{ports.LOOPBACK}:{numbers[ports.POSTGRES]}/{database(name)}"
    return f"postgresql://{postgres_server.SUPERUSER}:{password}@{where}"


def _redis_url(layout: Layout, name: str, numbers: Mapping[str, int]) -> str:
    user, password = redis_user(name), redis_password(layout, name)
    return f"redis://{user}:{password}@{ports.LOOPBACK}:{numbers[ports.VALKEY]}/{REDIS_DATABASES[name]}"


def _dotenv(variables: Mapping[str, str]) -> str:
    """Values in single quotes, in which nothing but a quote and a backslash means anything."""
    lines = []
    for name, value in variables.items():
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        lines.append(f"{name}='{quoted}'")
    return "\n".join(lines) + "\n"


def _kept(path: Path, make: Callable[[], str]) -> str:
    """A value that is made on first use and the same ever after."""
    if not path.exists():
        private_folder(path.parent)
        write_private(path, make())
    return path.read_text()


def _token() -> str:
    return secrets.token_urlsafe(32)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()
