"""A user who lives in each environment: a bad release could show this data to others, and a restore must keep it."""

from __future__ import annotations

from runbooks.engine.secret import Secret
from runbooks.sandbox.environments import resident_password
from runbooks.sandbox.world import Sandbox

USERNAME = "resident"
EMAIL = "resident@praviel.test"


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


def password(sandbox: Sandbox, name: str) -> Secret:
    """The password that the resident logs in with."""
    return Secret("resident's password", resident_password(sandbox.layout, name))
