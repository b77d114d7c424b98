"""Create the library: languages, texts, words, grammar."""

import logging
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "20251001_content"
down_revision = None
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.content")
SQL = Path(__file__).parent.parent / "sql"
TABLES = (
    "token",
    "lexeme",
    "grammar_topic",
    "generated_vocabulary",
    "text_segment",
    "text_work",
    "source_doc",
    "language",
)


def _create_extension(name: str) -> bool:
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(sa.text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
    except DBAPIError as error:
        log.warning("extension %s is not available: %s", name, str(error.orig).splitlines()[0])
        return False
    return True


def upgrade() -> None:
    _create_extension("pg_trgm")
    tables = (SQL / "content.sql").read_text(encoding="utf-8")
    if not _create_extension("vector"):
        tables = tables.replace("VECTOR(1536)", "BYTEA")
    op.execute(tables)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
