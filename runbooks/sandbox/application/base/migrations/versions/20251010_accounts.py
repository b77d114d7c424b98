"""Create users and everything that belongs to one."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20251010_accounts"
down_revision = "20251001_content"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
OWNING_TABLES = sa.text(
    "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint"
    " WHERE contype = 'f' AND confrelid = '\"user\"'::regclass"
)


def upgrade() -> None:
    op.execute((SQL / "accounts.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    for table in op.get_bind().scalars(OWNING_TABLES).all():
        op.drop_table(table)
    op.drop_table("user")
