"""Releases that break a promise: other builds of the application, from `application/faults/`."""

from __future__ import annotations

from runbooks.sandbox.faults.means import built

NEED_A_LOGIN = (
    "accounts.verify-email",
    "accounts.reset-password",
    "compliance.export-user",
    "compliance.delete-user",
    "email.password-reset-works",
    "verification.email-delivery",
)

FAULTS = (
    built("dev-cors-always-on", "environment.dev-cors-off", "access-control-allow-origin: http://localhost:3000"),
    built("health-500", "health.app", "HTTP 500", "final.health", "platform.custom-domain"),
    built("health-slow", "health.app", "median 15", "watch.response-times"),
    built(
        "register-500",
        "accounts.register",
        "registration: HTTP 500",
        "final.registration",
        "accounts.login",
        "accounts.refresh",
        "accounts.protected-with-token",
        "accounts.protected-without-token",
        "byok.save",
        "build.no-secrets-in-logs",
        *NEED_A_LOGIN,
    ),
    built(
        "register-allows-duplicate-email",
        "accounts.register",
        "a second user was created with the same e-mail",
    ),
    built("register-allows-weak-password", "accounts.register", "a weak password was accepted"),
    built(
        "login-accepts-any-password",
        "accounts.login",
        "wrong password: accepted",
        "email.password-reset-works",
        "accounts.reset-password",
    ),
    built("refresh-refused", "accounts.refresh", "refresh token: HTTP 401"),
    built("refresh-accepts-access-token", "accounts.refresh", "an access token was accepted as a refresh token"),
    built("profile-of-another-user", "accounts.protected-with-token", "another user's data"),
    built(
        "token-forged-accepted",
        "accounts.protected-without-token",
        "a token signed with another key: HTTP 200",
    ),
    built("token-alg-none-accepted", "accounts.protected-without-token", "(alg none): HTTP 200"),
    built("token-expired-accepted", "accounts.protected-without-token", "an expired token: HTTP 200"),
    built("token-not-required", "accounts.protected-without-token", "no token: HTTP 200"),
    built("byok-returned-in-clear", "byok.save", "the key is returned in clear"),
    built("byok-stored-in-clear", "byok.encrypted-at-rest", "the key is stored in clear"),
    built("byok-soft-delete", "byok.delete", "the row is still in user_api_config"),
)
