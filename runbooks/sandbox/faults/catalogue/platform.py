"""Faults of the platform: how it runs, limits, restarts and builds the application, and what its log holds."""

from __future__ import annotations

from runbooks.sandbox.faults import means, platform
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built

FAULTS = (
    Fault(
        name="workers-nine-on-small-plan",
        breaks="capacity.workers",
        shows="UVICORN_WORKERS is 9",
        also=("capacity.workers-railway-free", "postgres.max-overflow"),
        means=means.variable("UVICORN_WORKERS", "9", restart=False),
    ),
    Fault(
        name="workers-two-on-free-plan",
        breaks="capacity.workers-railway-free",
        shows="UVICORN_WORKERS is 2, not one worker",
        also=("postgres.max-overflow",),
        means=means.variable("UVICORN_WORKERS", "2", restart=False),
    ),
    Fault(
        name="workers-eight-on-paid-plan",
        breaks="capacity.workers-railway-paid",
        shows="UVICORN_WORKERS is 8, not 2 to 4 workers",
        also=("postgres.max-overflow",),
        means=platform.moved_to("railway-paid", 8),
    ),
    Fault(
        name="workers-off-by-one-on-dedicated",
        breaks="capacity.workers-dedicated",
        shows=f"UVICORN_WORKERS is {2 * platform.cores()}, not 2 × {platform.cores()} cores + 1",
        also=("postgres.max-overflow",),
        means=platform.moved_to("dedicated", 2 * platform.cores()),
    ),
    built("logger-silent", "health.logs-readable", "left no warning or error there"),
    Fault(
        name="log-rotated-away",
        breaks="health.logs-readable",
        shows="got nothing at all",
        means=platform.LOG_ROTATED_AWAY,
    ),
    Fault(
        name="healthcheck-other-path",
        breaks="platform.healthcheck-path",
        shows="the health check path is /docs",
        means=means.build("healthcheck-other-path"),
    ),
    Fault(
        name="never-restarted",
        breaks="platform.restart-policy",
        shows="autorestart=false: it stays down",
        means=platform.NEVER_RESTARTED,
    ),
    Fault(
        name="open-files-too-few",
        breaks="platform.resource-limits",
        shows="open files 128 (RLIMIT_NOFILE, out of bounds)",
        means=platform.FEW_OPEN_FILES,
    ),
    built("error-at-start", "build.starts-clean", "lines of the start at"),
    Fault(
        name="crashed-since-start",
        breaks="build.starts-clean",
        shows="and again once since: it ended by itself",
        means=platform.CRASHED,
    ),
    built("password-logged", "build.no-secrets-in-logs", "password of a login"),
    built("token-logged", "build.no-secrets-in-logs", "bearer token"),
    built("api-key-logged", "build.no-secrets-in-logs", "API key in a body"),
    built("query-logged", "build.no-secrets-in-logs", "query parameter"),
    built("database-url-logged", "build.no-secrets-in-logs", "DATABASE_URL"),
    Fault(
        name="build-failed",
        breaks="build.finishes",
        shows="and it failed",
        means=platform.build_noted(succeeded=False),
    ),
    Fault(
        name="build-of-sixteen-minutes",
        breaks="build.finishes",
        shows=": 960.0 s",
        also=("build.timeout-headroom",),
        means=platform.build_noted(seconds=960.0),
    ),
    Fault(
        name="build-nearly-too-slow",
        breaks="build.timeout-headroom",
        shows="s of 10 s, 9",
        means=platform.built_and_forgotten("build-nearly-too-slow"),
    ),
    Fault(
        name="limits-unreadable",
        breaks="scaling.limits-known",
        shows="the process manager did not accept the call",
        verdict="unknown",
        also=(
            "watch.error-logs",
            "watch.resources",
            "health.logs-readable",
            "platform.healthcheck-path",
            "platform.restart-policy",
            "platform.resource-limits",
            "final.start-command",
            "postgres.managed",
            "redis.managed",
        ),
        means=platform.PASSWORD_CHANGED,
    ),
    Fault(
        name="start-command-needs-shell",
        breaks="final.start-command",
        shows="&& needs a shell, and there is none",
        means=platform.placed("start-command-needs-shell"),
    ),
    Fault(
        name="start-command-keeps-sigterm",
        breaks="final.start-command",
        shows="there is no exec",
        means=platform.KEEPS_SIGTERM,
    ),
    Fault(
        name="shell-before-server",
        breaks="final.start-command",
        shows="SIGTERM goes to sh",
        means=platform.SHELL_STILL_THERE,
    ),
)
