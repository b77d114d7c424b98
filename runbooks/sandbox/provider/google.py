"""Google's Gemini API: models and generateContent, with text or, from a speech model, sound."""

from __future__ import annotations

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.answers import answer_text
from runbooks.sandbox.provider.sound import SAMPLE_RATE, samples
from runbooks.sandbox.provider.state import Behaviour, State

MODELS = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-tts")
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
TYPES = "type.googleapis.com/google.rpc"


def routes(state: State) -> list[Route]:
    api = Google(state)
    return [
        Route("/v1beta/models", api.models, methods=["GET"]),
        Route("/v1beta/models/{model}", api.model, methods=["GET"]),
        Route("/v1beta/models/{model}:generateContent", api.generate, methods=["POST"]),
    ]


class Google:
    """``accounts.json``'s ``google``: ``keys`` (``{"AQ.…": {"disabled": true?}}``)."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def models(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        return JSONResponse({"models": [_model(name) for name in MODELS]})

    async def model(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        name = request.path_params["model"]
        if name not in MODELS:
            return self._error(404, f"models/{name} is not found for API version v1beta")
        return JSONResponse(_model(name))

    async def generate(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        model = request.path_params["model"]
        if model not in MODELS:
            return self._error(404, f"models/{model} is not found for API version v1beta")
        body = await request.json()
        part: dict[str, Any]
        if model.endswith("-tts"):
            spoken = "" if self._behaviour.empty_audio else _text(body["contents"][-1])
            data = base64.b64encode(samples(spoken)).decode()
            part = {"inlineData": {"mimeType": f"audio/L16;codec=pcm;rate={SAMPLE_RATE}", "data": data}}
        else:
            told = self._behaviour.text
            part = {"text": told if told is not None else answer_text(_messages(body))}
        return JSONResponse(_generated(model, part))

    @property
    def _behaviour(self) -> Behaviour:
        return self.state.behaviour("google")

    def _refusal(self, request: Request) -> Response | None:
        if self._behaviour.status:
            return self._error(self._behaviour.status, "as told")
        key = request.headers.get("x-goog-api-key")
        if not key:
            return self._error(403, "Method doesn't allow unregistered callers. Please use API Key.")
        account = self.state.account("google").get("keys", {}).get(key)
        if account is None or account.get("revoked"):
            return self._error(400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")
        if account.get("disabled"):
            return self._error(
                403, "Generative Language API has not been used before or is disabled.", "SERVICE_DISABLED"
            )
        return None

    def _error(self, status: int, message: str, reason: str | None = None) -> Response:
        details: list[dict[str, Any]] = []
        if reason:
            metadata = {"service": "generativelanguage.googleapis.com"}
            info = {"reason": reason, "domain": "googleapis.com", "metadata": metadata}
            details = [{"@type": f"{TYPES}.ErrorInfo", **info}]
        if status == 429:
            details = [{"@type": f"{TYPES}.RetryInfo", "retryDelay": "1s"}]
        error = {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN"), "details": details}
        return JSONResponse({"error": error}, status_code=status, headers=self._behaviour.headers)


def _model(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _text(content: dict[str, Any]) -> str:
    return " ".join(part.get("text", "") for part in content["parts"])


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation in the form that the answers are made from."""
    instructions = {"role": "system", "content": _text(body.get("systemInstruction", {"parts": []}))}
    return [instructions, *({"role": turn.get("role", "user"), "content": _text(turn)} for turn in body["contents"])]


def _generated(model: str, part: dict[str, Any]) -> dict[str, Any]:
    count = len(part.get("text", "").split())
    candidate = {"content": {"parts": [part], "role": "model"}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": count, "candidatesTokenCount": count, "totalTokenCount": 2 * count}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model}
