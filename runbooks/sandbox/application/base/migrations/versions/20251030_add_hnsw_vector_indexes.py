"""Index the embeddings for nearest-neighbour queries."""

import logging

import sqlalchemy as sa
from alembic import op

revision = "20251030_add_hnsw_vector_indexes"
down_revision = "20251029_personalization"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.hnsw")
TABLES = ("text_segment", "grammar_topic", "generated_vocabulary")
TYPE_OF_EMB = sa.text(
    "SELECT udt_name FROM information_schema.columns WHERE table_name = :table AND column_name = 'emb'"
)


def upgrade() -> None:
    for table in TABLES:
        if op.get_bind().scalar(TYPE_OF_EMB, {"table": table}) != "vector":
            log.warning("%s.emb is not a vector; no HNSW index", table)
            continue
        op.execute(f"CREATE INDEX ix_{table}_emb_hnsw ON {table} USING hnsw (emb vector_cosine_ops)")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP INDEX IF EXISTS ix_{table}_emb_hnsw")
