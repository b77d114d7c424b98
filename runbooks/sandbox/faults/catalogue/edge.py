"""Certificates, redirects, names, and servers that listen where they must not."""

from __future__ import annotations

from runbooks.sandbox import names
from runbooks.sandbox.authority import Flaw
from runbooks.sandbox.faults import edge, means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built
from runbooks.sandbox.frontend import Build

API = names.API["local"]
HTTPS, DOMAIN, FRONTEND = "platform.https", "platform.custom-domain", "email.frontend-url-public"

FAULTS = (
    Fault(
        name="certificate-expired",
        breaks=HTTPS,
        shows="certificate has expired",
        silences=True,
        means=edge.proxy(certificate=Flaw.EXPIRED),
    ),
    Fault(
        name="certificate-wrong-name",
        breaks=HTTPS,
        shows=f"certificate is not valid for '{API}'",
        silences=True,
        means=edge.proxy(certificate=Flaw.WRONG_NAME),
    ),
    Fault(
        name="certificate-self-signed",
        breaks=HTTPS,
        shows="self-signed certificate",
        silences=True,
        means=edge.proxy(certificate=Flaw.SELF_SIGNED),
    ),
    Fault(
        name="certificate-expiring",
        breaks=HTTPS,
        shows="days left",
        means=edge.proxy(certificate=Flaw.EXPIRING),
    ),
    Fault(
        name="http-not-redirected",
        breaks=HTTPS,
        shows="HTTP 200 instead of a redirect",
        means=edge.proxy(redirect=False),
    ),
    Fault(
        name="transport-not-strict",
        breaks=HTTPS,
        shows="no Strict-Transport-Security header",
        means=edge.proxy(strict_transport=False),
    ),
    Fault(
        name="domain-points-elsewhere",
        breaks=DOMAIN,
        shows=f"{API} leads to 127.0.0.9 instead of 127.0.0.1",
        silences=True,
        means=edge.record(API, "A", "127.0.0.9"),
    ),
    Fault(
        name="frontend-on-localhost",
        breaks=FRONTEND,
        shows="http://localhost:8080: not https",
        also=("email.from-own-domain",),
        means=means.variable("FRONTEND_URL", "http://localhost:8080"),
    ),
    Fault(
        name="frontend-debug-build",
        breaks=FRONTEND,
        shows="main.js calls http://127.0.0.1:8002",
        means=edge.proxy(frontend=Build.DEBUG),
    ),
    Fault(
        name="frontend-gone",
        breaks=FRONTEND,
        shows="is HTTP 404",
        means=edge.proxy(frontend=Build.NONE),
    ),
    built("cors-blocks-frontend", "environment.dev-cors-off", "with no allow-origin header"),
    built("cors-lets-lookalikes-in", "environment.dev-cors-off", "from https://appxpraviel.test"),
    Fault(
        name="postgres-public",
        breaks="postgres.not-public",
        shows="listens on every interface (*)",
        means=edge.postgres_settings(listen_addresses="*"),
    ),
    Fault(
        name="redis-public",
        breaks="redis.not-public",
        shows="listens on every interface (0.0.0.0)",
        means=means.redis_settings(bind="0.0.0.0"),
    ),
    Fault(
        name="redis-unprotected",
        breaks="redis.not-public",
        shows="protected-mode is no",
        means=means.redis_settings(**{"protected-mode": "no"}),
    ),
)
