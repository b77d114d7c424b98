"""Anthropic: the Messages API."""

from __future__ import annotations

import os

from app.vendors import http
from app.vendors.http import VendorError
from app.vendors.prompt import Completion, Prompt

NAME = "anthropic"


def _base() -> str:
    return os.environ.get("ANTHROPIC_API_BASE", "").rstrip("/") or "https://api.anthropic.com/v1"


def _headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": "2023-06-01"}


async def ask_for_models(key: str) -> tuple[int | None, str | None]:
    return await http.models(f"{_base()}/models", _headers(key))


async def complete(key: str, model: str, prompt: Prompt) -> Completion:
    body = {
        "model": model,
        "max_tokens": 4096,
        "system": prompt.instructions,
        "messages": prompt.messages(),
    }
    answer = (await http.post(NAME, f"{_base()}/messages", _headers(key), body)).json()
    try:
        text = "".join(part["text"] for part in answer["content"] if part["type"] == "text")
    except (KeyError, TypeError) as error:
        raise VendorError("anthropic_bad_payload") from error
    if not text:
        raise VendorError("anthropic_bad_payload")
    return Completion(text, answer.get("usage"))
