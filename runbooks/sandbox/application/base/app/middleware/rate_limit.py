"""Fixed windows per client address in Redis. Without Redis everything is let through."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("app.rate_limit")

RETRY_REDIS_AFTER = 60.0
UNLIMITED = frozenset(
    {"/", "/health", "/health/providers", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"}
)
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Limit:
    category: str
    requests: int
    seconds: int


PASSWORD_RESET = Limit("password_reset", 3, 3600)
REGISTRATION = Limit("registration", 5, 3600)
LESSON_GENERATION = Limit("lesson_generation", 10, 3600)
LOGIN = Limit("login", 10, 60)
AUTH = Limit("auth", 10, 60)
CHAT = Limit("chat", 20, 60)
TTS = Limit("tts", 15, 60)
WRITE = Limit("write", 30, 60)
READ = Limit("read", 100, 60)


def limit_for(method: str, path: str) -> Limit | None:
    """The first rule that matches, the narrow ones first."""
    if path in UNLIMITED:
        return None
    rules = (
        ("/auth/password-reset" in path, PASSWORD_RESET),
        ("/auth/register" in path, REGISTRATION),
        (method == "POST" and "/lesson/" in path, LESSON_GENERATION),
        ("/auth/login" in path, LOGIN),
        ("/auth/" in path, AUTH),
        ("/chat/" in path or path.endswith("/chat"), CHAT),
        (method == "POST" and "/tts/" in path, TTS),
        (method in WRITES, WRITE),
    )
    return next((limit for matches, limit in rules if matches), READ)


class RateLimit:
    def __init__(self, app: ASGIApp, *, redis_url: str) -> None:
        self.app = app
        self.redis_url = redis_url
        self._redis: Redis | None = None
        self._silent_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = limit_for(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if limit is None or scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        window = int(time.time()) // limit.seconds
        resets_at = (window + 1) * limit.seconds
        client = (scope.get("client") or ("unknown", 0))[0]
        used = await self._count(f"rate:{limit.category}:{client}:{window}", limit.seconds)
        if used > limit.requests:
            answer = _refusal(limit, resets_at)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, _with_headers(send, limit, limit.requests - used, resets_at))

    async def _count(self, key: str, seconds: int) -> int:
        """This request's number in its window; 0 when Redis can't be asked."""
        if time.monotonic() < self._silent_until:
            return 0
        if self._redis is None:
            self._redis = Redis.from_url(
                self.redis_url, socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
            )
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, seconds)
                used, _ = await pipeline.execute()
        except (RedisError, OSError) as error:
            self._silent_until = time.monotonic() + RETRY_REDIS_AFTER
            log.warning("redis can't be asked (%s); no rate limits for a minute", type(error).__name__)
            return 0
        return int(used)


def _refusal(limit: Limit, resets_at: int) -> JSONResponse:
    wait = max(1, resets_at - int(time.time()))
    detail = f"Rate limit exceeded. Maximum {limit.requests} requests per {limit.seconds} seconds."
    headers = {"Retry-After": str(wait), **_figures(limit, 0, resets_at)}
    return JSONResponse({"detail": detail}, status_code=429, headers=headers)


def _figures(limit: Limit, remaining: int, resets_at: int) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(resets_at),
    }


def _with_headers(send: Send, limit: Limit, remaining: int, resets_at: int) -> Send:
    async def send_with_figures(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_figures(limit, remaining, resets_at))
        await send(message)

    return send_with_figures
