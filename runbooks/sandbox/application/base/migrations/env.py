"""Run migrations with psycopg. DATABASE_URL_SYNC wins over DATABASE_URL."""

from __future__ import annotations

import logging
import os
import time
from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

ATTEMPTS = 15
PAUSE_SECONDS = 2

if context.config.config_file_name:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
log = logging.getLogger("alembic.env")


def database_url() -> URL:
    text = os.environ.get("DATABASE_URL_SYNC") or os.environ.get("DATABASE_URL")
    if not text:
        raise SystemExit("DATABASE_URL is not set")
    return make_url(text).set(drivername="postgresql+psycopg")


def connect(engine: Engine) -> Connection:
    """A database that is still starting is worth waiting for; a refusal is reported without the URL."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return engine.connect()
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            log.warning("database not reachable, try %d of %d: %s", attempt, ATTEMPTS, reason)
            if attempt < ATTEMPTS:
                time.sleep(PAUSE_SECONDS)
    log.error("database not reachable, giving up")
    raise SystemExit(1)


def run() -> None:
    if context.is_offline_mode():
        context.configure(url=database_url(), literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = create_engine(database_url(), poolclass=NullPool)
    with connect(engine) as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
