"""A user who lives in each environment: a bad release could show this data to others, and a restore must keep it."""

from __future__ import annotations

import secrets

from runbooks.engine.secret import Secret
from runbooks.sandbox.environments import resident_password
from runbooks.sandbox.world import Sandbox

USERNAME = "resident"
EMAIL = "resident@praviel.test"
PROVIDER = "anthropic"


def settle(sandbox: Sandbox, name: str) -> None:
    """Have the resident in the environment's database. Safe to repeat."""
    import bcrypt

    hashed = bcrypt.hashpw(password(sandbox, name).reveal().encode(), bcrypt.gensalt(10)).decode()
    with sandbox.superuser(name) as connection, connection.transaction():
        row = connection.execute(
            'INSERT INTO "user" (username, email, hashed_password) VALUES (%s, %s, %s)'
            " ON CONFLICT DO NOTHING RETURNING id",
            [USERNAME, EMAIL, hashed],
        ).fetchone()
        if row is not None:
            connection.execute("INSERT INTO user_profile (user_id) VALUES (%s)", row)
            connection.execute("INSERT INTO user_preferences (user_id) VALUES (%s)", row)
            connection.execute("INSERT INTO user_progress (user_id) VALUES (%s)", row)
            connection.execute(
                "INSERT INTO user_api_config (user_id, provider, encrypted_api_key) VALUES (%s, %s, %s)",
                [row[0], PROVIDER, _encrypted(sandbox, name)],
            )


def _encrypted(sandbox: Sandbox, name: str) -> str:
    """A key of the resident's own at a provider, as the application keeps it."""
    from cryptography.fernet import Fernet

    key = f"sk-ant-api03-{secrets.token_urlsafe(24)}"
    return Fernet(sandbox.variables(name)["ENCRYPTION_KEY"]).encrypt(key.encode()).decode()


def password(sandbox: Sandbox, name: str) -> Secret:
    """The password that the resident logs in with."""
    return Secret("resident's password", resident_password(sandbox.layout, name))
