"""The application: what surrounds a request from the outside in, then its routes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import health, support
from app.accounts import api_keys, email_verification, password_reset, profile, sessions
from app.core import encryption, logs
from app.core.config import Settings, settings
from app.db.engine import engine
from app.db.languages import write_languages
from app.learning import chat, coach, lessons, speech
from app.library import languages, reader, search, vocabulary
from app.middleware.csrf import CsrfProtection
from app.middleware.headers import SecurityHeaders
from app.middleware.log_line import LogLine
from app.middleware.rate_limit import RateLimit
from app.vendors import http

log = logging.getLogger("app")

FRONTENDS = ("https://praviel.com", "https://www.praviel.com", "https://app.praviel.com")
DEVELOPMENT_ORIGINS = r"http://(localhost|127\.0\.0\.1)(:\d+)?"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    # A database that is down must not keep /health from answering.
    try:
        await write_languages(engine)
    except Exception as error:  # noqa: BLE001  # drivers raise their own
        log.error("languages not written at start: %s", (str(error).splitlines() or [""])[0])
    log.info("started environment=%s", settings.ENVIRONMENT)
    yield
    await http.close()
    await engine.dispose()
    log.info("stopped")


def surround(app: FastAPI, settings: Settings) -> None:
    """Add the middleware. The last one added is the first that sees a request."""
    if settings.REDIS_URL:
        app.add_middleware(RateLimit, redis_url=settings.REDIS_URL)
    if not settings.is_development:
        app.add_middleware(CsrfProtection)
    app.add_middleware(LogLine)
    app.add_middleware(SecurityHeaders, strict_transport=not settings.is_development)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted({*FRONTENDS, settings.FRONTEND_URL.rstrip("/")}),
        allow_origin_regex=DEVELOPMENT_ORIGINS if settings.ALLOW_DEV_CORS else None,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "X-CSRF-Token", "X-Model-Key"],
        expose_headers=["X-CSRF-Token", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
    )


def route(app: FastAPI, settings: Settings) -> None:
    """Mount the routes; those of a disabled feature do not exist."""
    always = (health, sessions, email_verification, password_reset, profile, api_keys, support)
    for module in (*always, languages, search, reader, vocabulary, chat):
        app.include_router(module.router)
    if settings.LESSONS_ENABLED:
        app.include_router(lessons.router)
    if settings.TTS_ENABLED:
        app.include_router(speech.router)
    if settings.COACH_ENABLED:
        app.include_router(coach.router)


def create_app(settings: Settings) -> FastAPI:
    logs.configure()
    if settings.is_development:
        log.warning("development mode: CSRF off, HSTS off, default keys accepted")
    app = FastAPI(title=settings.PROJECT_NAME, version="0.1.0", lifespan=lifespan)
    surround(app, settings)
    route(app, settings)
    return app


# Loaded here, not at the first stored key: a malformed key must stop the start.
assert encryption

app = create_app(settings)
