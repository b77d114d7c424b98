"""OpenAI: the Responses API for text, the audio API for speech."""

from __future__ import annotations

import os
from typing import Any

from app.vendors import http
from app.vendors.http import VendorError
from app.vendors.prompt import Completion, Prompt

NAME = "openai"


def _base() -> str:
    return os.environ.get("OPENAI_API_BASE", "").rstrip("/") or "https://api.openai.com/v1"


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def ask_for_models(key: str) -> tuple[int | None, str | None]:
    return await http.models(f"{_base()}/models", _headers(key))


async def complete(key: str, model: str, prompt: Prompt) -> Completion:
    messages = [{"role": "developer", "content": prompt.instructions}, *prompt.messages()]
    body: dict[str, Any] = {"model": model, "input": messages, "store": False}
    if prompt.wants_json:
        body["text"] = {"format": {"type": "json_object"}}
    answer = (await http.post(NAME, f"{_base()}/responses", _headers(key), body)).json()
    try:
        parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
        text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    except (KeyError, TypeError) as error:
        raise VendorError("openai_bad_payload") from error
    if not text:
        raise VendorError("openai_bad_payload")
    return Completion(text, answer.get("usage"))


async def speak(key: str, model: str, voice: str, text: str) -> bytes:
    body = {"model": model, "input": text, "voice": voice, "response_format": "wav"}
    return (await http.post(NAME, f"{_base()}/audio/speech", _headers(key), body)).content
