"""Let users describe themselves and choose who sees it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20251029_personalization"
down_revision = "20251010_accounts"
branch_labels = None
depends_on = None


def _columns() -> list[sa.Column]:
    return [
        sa.Column("display_name", sa.String(100)),
        sa.Column("preferred_pronouns", sa.String(32)),
        sa.Column("gender_identity", sa.String(32)),
        sa.Column("age_bracket", sa.String(16)),
        sa.Column("country_code", sa.String(2)),
        sa.Column("interests", JSONB),
        sa.Column("bio", sa.String(500)),
        sa.Column("profile_visibility", sa.String(16), nullable=False, server_default="friends"),
    ]


def upgrade() -> None:
    for column in _columns():
        op.add_column("user_profile", column)


def downgrade() -> None:
    for column in reversed(_columns()):
        op.drop_column("user_profile", column.name)
