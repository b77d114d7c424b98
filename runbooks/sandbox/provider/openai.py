"""OpenAI's API: models, responses, chat completions, speech. What administrators ask is in `_openai_admin`."""

from __future__ import annotations

import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider import _openai_admin
from runbooks.sandbox.provider._openai_errors import error, failure, request_id
from runbooks.sandbox.provider.answers import answer_text
from runbooks.sandbox.provider.sound import spoken
from runbooks.sandbox.provider.state import Behaviour, State

MODELS = (
    "gpt-5",
    "gpt-5-mini-2025-08-07",
    "gpt-5-nano-2025-08-07",
    "text-embedding-3-small",
    "tts-1",
)
CREATED = 1754524800


def routes(state: State) -> list[Route]:
    api = OpenAI(state)
    return [
        Route("/v1/models", api.models, methods=["GET"]),
        Route("/v1/models/{model}", api.model, methods=["GET"]),
        Route("/v1/responses", api.responses, methods=["POST"]),
        Route("/v1/chat/completions", api.chat_completions, methods=["POST"]),
        Route("/v1/audio/speech", api.speech, methods=["POST"]),
        *_openai_admin.routes(state),
    ]


class OpenAI:
    """Keys are ``accounts.json``'s ``openai.keys``: ``{"sk-…": {"project": "proj_…", "scopes": […]?}}``."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def models(self, request: Request) -> Response:
        if refusal := self._refusal(request, scope="api.model.read"):
            return refusal
        listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "system"} for name in MODELS]
        return JSONResponse({"object": "list", "data": listed}, headers=request_id())

    async def model(self, request: Request) -> Response:
        if refusal := self._refusal(request, scope="api.model.read"):
            return refusal
        name = request.path_params["model"]
        entry = {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}
        return _unknown_model({"model": name}) or JSONResponse(entry, headers=request_id())

    async def responses(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        if unknown := _unknown_model(body):
            return unknown
        text = self._text(body["input"] if isinstance(body["input"], list) else [_user_turn(body["input"])])
        return JSONResponse(_response_object(body["model"], text), headers=self._headers(request))

    async def chat_completions(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        if unknown := _unknown_model(body):
            return unknown
        text = self._text(body["messages"])
        return JSONResponse(_completion_object(body["model"], text), headers=self._headers(request))

    async def speech(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        if unknown := _unknown_model(body):
            return unknown
        sound = spoken("" if self._behaviour.empty_audio else body["input"])
        return Response(sound, media_type="audio/wav", headers=self._headers(request))

    @property
    def _behaviour(self) -> Behaviour:
        return self.state.behaviour("openai")

    def _text(self, messages: list[dict[str, Any]]) -> str:
        return self._behaviour.text if self._behaviour.text is not None else answer_text(messages)

    def _refusal(self, request: Request, scope: str = "model.request") -> Response | None:
        if self._behaviour.status:
            return failure(self._behaviour)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key:
            return error(401, None, "invalid_request_error", "You didn't provide an API key.")
        account = self.state.account("openai").get("keys", {}).get(key)
        if account is None or account.get("revoked"):
            message = f"Incorrect API key provided: {_hint(key)}. You can find your API key in your dashboard."
            return error(401, "invalid_api_key", "invalid_request_error", message)
        if request.headers.get("openai-project", account.get("project")) != account.get("project"):
            message = "OpenAI-Project header should match project for API key"
            return error(401, "mismatched_project", "invalid_request_error", message)
        if scope not in account.get("scopes", [scope]):
            message = f"You have insufficient permissions for this operation. Missing scopes: {scope}."
            return error(403, None, "invalid_request_error", message)
        return None

    def _headers(self, request: Request) -> dict[str, str]:
        key = request.headers["authorization"].removeprefix("Bearer ")
        project = self.state.account("openai")["keys"][key].get("project", "proj_default")
        usual = {
            "openai-organization": "org-sandbox",
            "openai-project": project,
            "openai-processing-ms": "12",
            "openai-version": "2020-10-01",
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-limit-tokens": "200000",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-remaining-tokens": "199000",
            "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-reset-tokens": "300ms",
        }
        return {**usual, **request_id(), **(self._behaviour.headers or {})}


def _hint(key: str) -> str:
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 12 else "*" * len(key)


def _unknown_model(body: dict[str, Any]) -> Response | None:
    if body.get("model") in MODELS:
        return None
    message = f"The model `{body.get('model')}` does not exist or you do not have access to it."
    return error(404, "model_not_found", "invalid_request_error", message)


def _user_turn(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def _response_object(model: str, text: str) -> dict[str, Any]:
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message = {
        "id": f"msg_{secrets.token_hex(24)}",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [content],
    }
    count = len(text.split())
    return {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "model": model,
        "output": [message],
        "usage": {"input_tokens": count, "output_tokens": count, "total_tokens": 2 * count},
    }


def _completion_object(model: str, text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    count = len(text.split())
    return {
        "id": f"chatcmpl-{secrets.token_hex(14)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": count, "completion_tokens": count, "total_tokens": 2 * count},
    }
