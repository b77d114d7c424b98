"""The provider stand-in over HTTP: Anthropic and Google."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.standin import Provider

ANTHROPIC = {"x-api-key": "sk-ant-api03-good-0001", "anthropic-version": "2023-06-01"}
CLAUDE = "claude-sonnet-4-5-20250929"
QUESTION = {"model": CLAUDE, "max_tokens": 100, "messages": [{"role": "user", "content": "What is an aorist?"}]}
GOOGLE = {"x-goog-api-key": "AQ.good-0001"}
GEMINI = "/google/v1beta/models/gemini-2.5-flash:generateContent"
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "What is an aorist?"}]}]}


def test_anthropic_lists_models_for_a_known_key(provider: Provider) -> None:
    answer = provider.http.get("/anthropic/v1/models", headers=ANTHROPIC)
    assert CLAUDE in {model["id"] for model in answer.json()["data"]}
    assert answer.headers["request-id"].startswith("req_")


def test_anthropic_answers_and_shows_its_limits(provider: Provider) -> None:
    answer = provider.http.post("/anthropic/v1/messages", headers=ANTHROPIC, json=QUESTION)
    assert "ending" in answer.json()["content"][0]["text"]
    assert answer.headers["anthropic-ratelimit-requests-limit"] == "50"


@pytest.mark.parametrize(
    ("headers", "body", "status", "kind"),
    [
        ({**ANTHROPIC, "x-api-key": "sk-ant-api03-no"}, QUESTION, 401, "authentication_error"),
        ({"anthropic-version": "2023-06-01"}, QUESTION, 401, "authentication_error"),
        ({"x-api-key": "sk-ant-api03-good-0001"}, QUESTION, 400, "invalid_request_error"),
        (ANTHROPIC, {**QUESTION, "model": "claude-0"}, 404, "not_found_error"),
        (ANTHROPIC, {**QUESTION, "max_tokens": None}, 400, "invalid_request_error"),
    ],
)
def test_anthropic_says_what_is_wrong(
    provider: Provider, headers: dict[str, str], body: dict[str, Any], status: int, kind: str
) -> None:
    answer = provider.http.post("/anthropic/v1/messages", headers=headers, json=body)
    assert (status, kind) == (answer.status_code, answer.json()["error"]["type"])
    assert answer.json()["request_id"] == answer.headers["request-id"]


def test_google_lists_models_for_a_known_key(provider: Provider) -> None:
    listed = provider.http.get("/google/v1beta/models", headers=GOOGLE).json()["models"]
    assert "models/gemini-2.5-flash" in {model["name"] for model in listed}


def test_google_generates_text(provider: Provider) -> None:
    answer = provider.http.post(GEMINI, headers=GOOGLE, json=CONTENTS).json()
    assert "ending" in answer["candidates"][0]["content"]["parts"][0]["text"]


def test_google_speaks_raw_samples(provider: Provider) -> None:
    path = GEMINI.replace("flash:", "flash-tts:")
    part = provider.http.post(path, headers=GOOGLE, json=CONTENTS).json()["candidates"][0]["content"]["parts"][0]
    assert part["inlineData"]["mimeType"] == "audio/L16;codec=pcm;rate=24000"
    assert base64.b64decode(part["inlineData"]["data"])


@pytest.mark.parametrize(
    ("key", "status", "code", "reason"),
    [
        ("AIza-unknown", 400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
        ("AQ.other-api", 403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
    ],
)
def test_google_says_what_is_wrong_with_a_key(
    provider: Provider, key: str, status: int, code: str, reason: str
) -> None:
    error = provider.http.get("/google/v1beta/models", headers={"x-goog-api-key": key}).json()["error"]
    assert (status, code, reason) == (error["code"], error["status"], error["details"][0]["reason"])


def test_google_asks_for_patience_in_its_body(provider: Provider) -> None:
    provider.tell("google", status=429)
    answer = provider.http.get("/google/v1beta/models", headers=GOOGLE)
    assert answer.status_code == 429
    assert answer.json()["error"]["details"][0]["retryDelay"] == "1s"
