"""Variables that are missing, weak, shared or wrong."""

from __future__ import annotations

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault

FAULTS = (
    Fault(
        name="jwt-key-short",
        breaks="secrets.jwt-key-strong",
        shows="JWT_SECRET_KEY has 20 characters",
        also=("final.settings-load", "build.variables-complete", "accounts.protected-without-token"),
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
        also=(
            "secrets.jwt-key-not-in-code",
            "secrets.jwt-key-strong",
            "final.settings-load",
            "build.variables-complete",
            "accounts.protected-without-token",
        ),
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
        also=("byok.encrypted-at-rest", "secrets.encryption-key-recoverable"),
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
        also=("platform.https",),
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
        also=(
            "email.password-reset-works",
            "accounts.verify-email",
            "accounts.reset-password",
            "verification.email-delivery",
        ),
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
        also=("capacity.workers-railway-free",),
        means=means.variable("UVICORN_WORKERS", "4"),
    ),
    Fault(
        name="settings-unparsable",
        breaks="final.settings-load",
        shows="BYOK_ALLOWED_HEADERS",
        also=("build.variables-complete",),
        means=means.variable("BYOK_ALLOWED_HEADERS", "authorization,x-model-key", restart=False),
    ),
)
