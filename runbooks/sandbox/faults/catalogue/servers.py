"""Servers that lost something, refuse, or are set up wrongly."""

from __future__ import annotations

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.redis import NO_PASSWORD, SAVE_FAILS

FAULTS = (
    Fault(
        name="database-of-nobody",
        breaks="postgres.managed",
        shows="127.1 is a server's, which database.managed does not know",
        means=means.changed_variable("DATABASE_URL", lambda url: url.replace("@127.0.0.1:", "@127.1:")),
    ),
    Fault(
        name="redis-of-nobody",
        breaks="redis.managed",
        shows="127.1 is a server's, which redis.managed does not know",
        means=means.changed_variable("REDIS_URL", lambda url: url.replace("@127.0.0.1:", "@127.1:")),
    ),
    Fault(
        name="pgvector-dropped",
        breaks="postgres.pgvector",
        shows="extension vector is not installed",
        also=("health.database", "final.health", "final.schema-as-migrated", "reader.search"),
        means=means.ruin("DROP EXTENSION vector CASCADE"),
    ),
    Fault(
        name="redis-not-persistent",
        breaks="redis.persistent",
        shows="AOF is off and RDB is off",
        means=means.redis_settings(appendonly="no", save=""),
    ),
    Fault(name="redis-save-fails", breaks="redis.persistent", shows="rdb_last_bgsave_status=err", means=SAVE_FAILS),
    Fault(
        name="redis-no-password",
        breaks="redis.password",
        shows="PING without a password is answered",
        means=NO_PASSWORD,
    ),
    Fault(
        name="database-behind",
        breaks="migrations.run-on-deploy",
        shows="the release's head is 20251030_add_hnsw_vector_indexes",
        means=means.alembic("downgrade", "-1"),
    ),
    Fault(
        name="seed-data-gone",
        breaks="health.database",
        shows="seed data is missing",
        also=(
            "final.health",
            "postgres.pgvector",
            "reader.morphology",
            "reader.search",
            "reader.text",
            "verification.seed-data",
        ),
        means=means.ruin("TRUNCATE language CASCADE"),
    ),
    Fault(
        name="provider-down",
        breaks="health.providers",
        shows="openai: status 503",
        also=(
            "ai.lessons-openai",
            "ai.chat",
            "ai.coach",
            "ai.tts",
            "api-keys.openai",
            "api-keys.rate-limits",
            "api-keys.usage-watched",
            "cost.usage-limits",
        ),
        means=means.provider("openai", status=503),
    ),
)
