"""Google: generateContent of the Gemini API."""

from __future__ import annotations

import os
from typing import Any

from app.vendors import http
from app.vendors.http import VendorError
from app.vendors.prompt import Completion, Prompt

NAME = "google"


def _base() -> str:
    base = os.environ.get("GOOGLE_API_BASE", "").rstrip("/")
    return base or "https://generativelanguage.googleapis.com/v1beta"


def _headers(key: str) -> dict[str, str]:
    return {"x-goog-api-key": key}


async def ask_for_models(key: str) -> tuple[int | None, str | None]:
    return await http.models(f"{_base()}/models", _headers(key))


async def complete(key: str, model: str, prompt: Prompt) -> Completion:
    roles = {"user": "user", "assistant": "model"}
    turns = [{"role": roles[m["role"]], "parts": [{"text": m["content"]}]} for m in prompt.messages()]
    body: dict[str, Any] = {
        "systemInstruction": {"parts": [{"text": prompt.instructions}]},
        "contents": turns,
    }
    if prompt.wants_json:
        body["generationConfig"] = {"responseMimeType": "application/json"}
    url = f"{_base()}/models/{model}:generateContent"
    answer = (await http.post(NAME, url, _headers(key), body)).json()
    try:
        text = "".join(part["text"] for part in answer["candidates"][0]["content"]["parts"])
    except (KeyError, TypeError, IndexError) as error:
        raise VendorError("google_bad_payload") from error
    if not text:
        raise VendorError("google_bad_payload")
    return Completion(text, answer.get("usageMetadata"))
