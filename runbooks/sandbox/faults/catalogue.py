"""Every fault that can be injected; each check has at least one."""

from __future__ import annotations

from collections.abc import Mapping

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.redis import NO_PASSWORD, SAVE_FAILS

_SETTINGS = (
    Fault(
        name="jwt-key-short",
        breaks="secrets.jwt-key-strong",
        shows="JWT_SECRET_KEY has 20 characters",
        also=("final.settings-load", "accounts.protected-without-token"),
        means=means.variable("JWT_SECRET_KEY", "kX9vR2mQ7tZ4wB8nH5pL", restart=False),
    ),
    Fault(
        name="jwt-key-repeats",
        breaks="secrets.jwt-key-strong",
        shows="40 characters, about",
        means=means.variable("JWT_SECRET_KEY", "a" * 40),
    ),
    Fault(
        name="jwt-key-default",
        breaks="secrets.jwt-key-not-default",
        shows="the default that the source publishes",
        also=("secrets.jwt-key-strong", "final.settings-load", "accounts.protected-without-token"),
        means=means.variable("JWT_SECRET_KEY", "CHANGE_ME_IN_PRODUCTION_USE_RANDOM_STRING", restart=False),
    ),
    Fault(
        name="jwt-key-shared",
        breaks="secrets.jwt-key-differs",
        shows="JWT_SECRET_KEY is the same in local-staging",
        means=means.copied_variable("JWT_SECRET_KEY", to="local-staging"),
    ),
    Fault(
        name="encryption-key-truncated",
        breaks="secrets.encryption-key-valid",
        shows="ENCRYPTION_KEY has 30 characters instead of 44",
        also=("byok.encrypted-at-rest",),
        means=means.variable("ENCRYPTION_KEY", "c2hvcnQta2V5LXRoYXQtaXMtbm90LT", restart=False),
    ),
    Fault(
        name="encryption-key-shared",
        breaks="secrets.encryption-key-differs",
        shows="ENCRYPTION_KEY is the same in local-staging",
        means=means.copied_variable("ENCRYPTION_KEY", to="local-staging"),
    ),
    Fault(
        name="environment-dev",
        breaks="environment.is-production",
        shows="ENVIRONMENT is 'dev'",
        means=means.variable("ENVIRONMENT", "dev"),
    ),
    Fault(
        name="dev-cors-on",
        breaks="environment.dev-cors-off",
        shows="ALLOW_DEV_CORS is true",
        means=means.variable("ALLOW_DEV_CORS", "true"),
    ),
    Fault(
        name="echo-fallback-default",
        breaks="environment.echo-fallback-off",
        shows="true because it is not set",
        means=means.variable("ECHO_FALLBACK_ENABLED", None),
    ),
    Fault(
        name="mail-to-console",
        breaks="email.provider-not-console",
        shows="EMAIL_PROVIDER is console",
        means=means.variable("EMAIL_PROVIDER", "console"),
    ),
    Fault(
        name="pool-too-large",
        breaks="postgres.pool-size",
        shows="DB_POOL_SIZE is 200",
        also=("postgres.max-overflow",),
        means=means.variable("DB_POOL_SIZE", "200"),
    ),
    Fault(
        name="too-many-workers",
        breaks="postgres.max-overflow",
        shows="(20 + 10) × 4 workers",
        means=means.variable("UVICORN_WORKERS", "4"),
    ),
    Fault(
        name="settings-unparsable",
        breaks="final.settings-load",
        shows="BYOK_ALLOWED_HEADERS",
        means=means.variable("BYOK_ALLOWED_HEADERS", "authorization,x-model-key", restart=False),
    ),
)

_SERVERS = (
    Fault(
        name="pgvector-dropped",
        breaks="postgres.pgvector",
        shows="extension vector is not installed",
        also=("health.database", "final.health"),
        means=means.ruin("DROP EXTENSION vector CASCADE"),
    ),
    Fault(
        name="redis-not-persistent",
        breaks="redis.persistent",
        shows="AOF is off and RDB is off",
        means=means.redis_settings(appendonly="no", save=""),
    ),
    Fault(
        name="redis-save-fails",
        breaks="redis.persistent",
        shows="rdb_last_bgsave_status=err",
        means=SAVE_FAILS,
    ),
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
        also=("final.health", "postgres.pgvector"),
        means=means.ruin("TRUNCATE language CASCADE"),
    ),
    Fault(
        name="provider-down",
        breaks="health.providers",
        shows="openai: status 503",
        means=means.provider("openai", status=503),
    ),
)


def _build(name: str, breaks: str, shows: str, *also: str) -> Fault:
    return Fault(name=name, breaks=breaks, shows=shows, also=also, means=means.build(name))


_BUILDS = (
    _build("dev-cors-always-on", "environment.dev-cors-off", "access-control-allow-origin: http://localhost:3000"),
    _build("health-500", "health.app", "HTTP 500", "final.health"),
    _build("health-slow", "health.app", "median 15"),
    _build(
        "register-500",
        "accounts.register",
        "registration: HTTP 500",
        "final.registration",
        "accounts.login",
        "accounts.refresh",
        "accounts.protected-with-token",
        "accounts.protected-without-token",
        "byok.save",
    ),
    _build(
        "register-allows-duplicate-email",
        "accounts.register",
        "a second user was created with the same e-mail",
    ),
    _build("register-allows-weak-password", "accounts.register", "a weak password was accepted"),
    _build("login-accepts-any-password", "accounts.login", "wrong password: accepted"),
    _build("refresh-refused", "accounts.refresh", "refresh token: HTTP 401"),
    _build("refresh-accepts-access-token", "accounts.refresh", "an access token was accepted as a refresh token"),
    _build("profile-of-another-user", "accounts.protected-with-token", "another user's data"),
    _build(
        "token-forged-accepted",
        "accounts.protected-without-token",
        "a token signed with another key: HTTP 200",
    ),
    _build("token-alg-none-accepted", "accounts.protected-without-token", "(alg none): HTTP 200"),
    _build("token-expired-accepted", "accounts.protected-without-token", "an expired token: HTTP 200"),
    _build("token-not-required", "accounts.protected-without-token", "no token: HTTP 200"),
    _build("byok-returned-in-clear", "byok.save", "the key is returned in clear"),
    _build("byok-stored-in-clear", "byok.encrypted-at-rest", "the key is stored in clear"),
    _build("byok-soft-delete", "byok.delete", "the row is still in user_api_config"),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in (*_SETTINGS, *_SERVERS, *_BUILDS)}
