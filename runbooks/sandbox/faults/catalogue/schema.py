"""Schemas, drivers and variables that let an application start and fail later; each of these has happened."""

from __future__ import annotations

from runbooks.sandbox.faults import means, pooled
from runbooks.sandbox.faults.fault import Fault

FAULTS = (
    Fault(
        name="database-url-with-channel-binding",
        breaks="final.driver-answers",
        shows="channel_binding",
        also=("build.variables-complete",),
        means=means.changed_variable("DATABASE_URL", lambda url: f"{url}?channel_binding=require"),
    ),
    Fault(
        name="database-behind-a-pooler",
        breaks="final.driver-answers",
        shows="prepared statement",
        means=pooled.in_front,
    ),
    Fault(
        name="password-masked",
        breaks="final.driver-answers",
        shows="password authentication failed",
        means=means.placed("password-masked"),
    ),
    Fault(
        name="column-dropped-by-hand",
        breaks="final.schema-as-migrated",
        shows="source_doc.meta is missing",
        means=means.altered(
            "ALTER TABLE source_doc DROP COLUMN IF EXISTS meta",
            "ALTER TABLE source_doc ADD COLUMN IF NOT EXISTS meta jsonb",
        ),
    ),
    Fault(
        name="column-of-another-type",
        breaks="final.schema-as-migrated",
        shows="source_doc.meta is json instead of jsonb",
        means=means.altered(
            "ALTER TABLE source_doc ALTER COLUMN meta TYPE json",
            "ALTER TABLE source_doc ALTER COLUMN meta TYPE jsonb",
        ),
    ),
    Fault(
        name="unique-constraint-lost",
        breaks="final.schema-as-migrated",
        shows="user_progress has lost UNIQUE (user_id)",
        means=means.altered(
            "ALTER TABLE user_progress DROP CONSTRAINT IF EXISTS user_progress_user_id_key",
            "ALTER TABLE user_progress DROP CONSTRAINT IF EXISTS user_progress_user_id_key,"
            " ADD CONSTRAINT user_progress_user_id_key UNIQUE (user_id)",
        ),
    ),
    Fault(
        name="vectors-became-bytes",
        breaks="postgres.pgvector",
        shows="grammar_topic.emb is bytea",
        also=("final.schema-as-migrated",),
        means=means.ruin(
            "DROP INDEX ix_grammar_topic_emb_hnsw;"
            " ALTER TABLE grammar_topic ALTER COLUMN emb TYPE bytea USING convert_to(emb::text, 'UTF8')"
        ),
    ),
    Fault(
        name="second-head",
        breaks="migrations.run-on-deploy",
        shows="the release has 2 heads: 20251028_profile_pronunciation, 20251030_add_hnsw_vector_indexes",
        also=("migrations.tested-in-staging",),
        means=means.placed("second-head"),
    ),
    Fault(
        name="second-row-in-alembic-version",
        breaks="migrations.run-on-deploy",
        shows="the database is at 20251010_accounts, 20251030_add_hnsw_vector_indexes",
        means=means.altered(
            "INSERT INTO alembic_version VALUES ('20251010_accounts') ON CONFLICT DO NOTHING",
            "DELETE FROM alembic_version WHERE version_num = '20251010_accounts'",
        ),
    ),
    Fault(
        name="migrations-lead-elsewhere",
        breaks="migrations.run-on-deploy",
        shows="DATABASE_URL_SYNC leads to ",
        means=means.changed_variable(
            "DATABASE_URL_SYNC", lambda _: "postgresql://migrator@127.0.0.1:5432/praviel_before_the_move"
        ),
    ),
    Fault(
        name="required-variable-missing",
        breaks="build.variables-complete",
        shows="not set: DATABASE_URL",
        also=("final.settings-load",),
        means=means.variable("DATABASE_URL", None, restart=False),
    ),
    Fault(
        name="redis-url-without-scheme",
        breaks="build.variables-complete",
        shows="REDIS_URL does not begin with redis://",
        means=means.variable("REDIS_URL", "127.0.0.1:6379/0", restart=False),
    ),
    Fault(
        name="testing-mode-on",
        breaks="build.variables-complete",
        shows="TESTING is set",
        means=means.variable("TESTING", "1", restart=False),
    ),
)
