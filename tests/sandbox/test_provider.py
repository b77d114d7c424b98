"""The provider stand-in over HTTP: OpenAI and Resend."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest

from tests.standin import ACCOUNTS, Provider

OPENAI = {"Authorization": "Bearer sk-proj-good-0001"}
RESEND = {"Authorization": "Bearer re_full"}
MODEL = "gpt-5-nano-2025-08-07"


def test_openai_lists_models_for_a_known_key(provider: Provider) -> None:
    answer = provider.http.get("/openai/v1/models", headers=OPENAI)
    assert answer.status_code == 200
    assert MODEL in {model["id"] for model in answer.json()["data"]}
    assert answer.headers["x-request-id"].startswith("req_")


def test_openai_refuses_an_unknown_key_and_shows_only_a_part_of_it(provider: Provider) -> None:
    answer = provider.http.get("/openai/v1/models", headers={"Authorization": "Bearer sk-proj-wrong-key-77"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (401, "invalid_api_key")
    assert "sk-proj-wrong-key-77" not in error["message"]


def test_revoking_a_key_counts_from_the_next_request(provider: Provider) -> None:
    provider.write("accounts.json", {**ACCOUNTS, "openai": {"keys": {}}})
    assert provider.http.get("/openai/v1/models", headers=OPENAI).status_code == 401


def test_a_key_without_the_scope_is_told_which_one(provider: Provider) -> None:
    answer = provider.http.get("/openai/v1/models", headers={"Authorization": "Bearer sk-proj-narrow-01"})
    assert answer.status_code == 403
    assert "api.model.read" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/openai/v1/responses", {"model": MODEL, "input": "What is an aorist?"}),
        (
            "/openai/v1/chat/completions",
            {"model": MODEL, "messages": [{"role": "user", "content": "What is an aorist?"}]},
        ),
    ],
)
def test_inference_answers_and_shows_its_limits(provider: Provider, path: str, body: dict[str, Any]) -> None:
    answer = provider.http.post(path, headers=OPENAI, json=body)
    assert answer.status_code == 200
    assert "ending" in answer.text
    assert answer.headers["x-ratelimit-limit-requests"] == "500"
    assert answer.headers["openai-project"] == "proj_production"


def test_an_unknown_model_is_not_found(provider: Provider) -> None:
    answer = provider.http.post("/openai/v1/responses", headers=OPENAI, json={"model": "gpt-0", "input": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_speech_is_a_wav_with_a_duration(provider: Provider) -> None:
    body = {"model": "tts-1", "input": "salve", "voice": "alloy", "response_format": "wav"}
    answer = provider.http.post("/openai/v1/audio/speech", headers=OPENAI, json=body)
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert sound.getnframes() > 0
    provider.write("behaviour.json", {"openai": {"empty_audio": True}})
    answer = provider.http.post("/openai/v1/audio/speech", headers=OPENAI, json=body)
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert sound.getnframes() == 0


def test_a_vendor_answers_as_told(provider: Provider) -> None:
    provider.write("behaviour.json", {"openai": {"status": 503}})
    answer = provider.http.get("/openai/v1/models", headers=OPENAI)
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
    assert provider.http.get("/resend/domains", headers=RESEND).status_code == 200


def test_limits_may_be_replaced(provider: Provider) -> None:
    provider.write("behaviour.json", {"openai": {"headers": {"x-ratelimit-limit-requests": "10000"}}})
    answer = provider.http.post("/openai/v1/responses", headers=OPENAI, json={"model": MODEL, "input": "x"})
    assert answer.headers["x-ratelimit-limit-requests"] == "10000"


def _mail(to: str, sender: str = "PRAVIEL <noreply@praviel.test>") -> dict[str, Any]:
    return {"from": sender, "to": [to], "subject": "Reset your password", "text": "token"}


def test_a_mail_arrives_and_can_be_read_again(provider: Provider) -> None:
    sent = provider.http.post("/resend/emails", headers=RESEND, json=_mail("a@praviel.test"))
    found = provider.http.get(f"/resend/emails/{sent.json()['id']}", headers=RESEND).json()
    assert (found["to"], found["last_event"]) == (["a@praviel.test"], "delivered")
    assert sent.json()["id"] == provider.lines("mails.jsonl")[-1]["id"]


def test_a_lost_mail_was_accepted_all_the_same(provider: Provider) -> None:
    provider.write("behaviour.json", {"resend": {"lose_mails": True}})
    sent = provider.http.post("/resend/emails", headers=RESEND, json=_mail("lost@praviel.test"))
    assert sent.status_code == 200
    assert provider.http.get(f"/resend/emails/{sent.json()['id']}", headers=RESEND).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status", "name"),
    [
        ({}, 401, "missing_api_key"),
        ({"Authorization": "Bearer re_unknown"}, 403, "invalid_api_key"),
        ({"Authorization": "Bearer re_send"}, 401, "restricted_api_key"),
    ],
)
def test_resend_says_what_is_wrong_with_a_key(
    provider: Provider, headers: dict[str, str], status: int, name: str
) -> None:
    answer = provider.http.get("/resend/domains", headers=headers)
    assert (status, name) == (answer.status_code, answer.json()["name"])


def test_a_sending_key_may_send(provider: Provider) -> None:
    headers = {"Authorization": "Bearer re_send"}
    assert provider.http.post("/resend/emails", headers=headers, json=_mail("b@praviel.test")).status_code == 200


@pytest.mark.parametrize("sender", ["noreply@new.test", "noreply@unknown.test"])
def test_mail_from_an_unverified_domain_is_refused(provider: Provider, sender: str) -> None:
    answer = provider.http.post("/resend/emails", headers=RESEND, json=_mail("c@praviel.test", sender))
    assert (answer.status_code, answer.json()["name"]) == (403, "validation_error")


def test_a_domain_shows_its_records(provider: Provider) -> None:
    listed = provider.http.get("/resend/domains", headers=RESEND).json()["data"]
    assert {d["name"]: d["status"] for d in listed} == {"praviel.test": "verified", "new.test": "pending"}
    domain = provider.http.get(f"/resend/domains/{listed[0]['id']}", headers=RESEND).json()
    assert {"SPF", "DKIM"} == {record["record"] for record in domain["records"]}


def test_every_request_is_seen_and_only_by_the_owner(provider: Provider) -> None:
    provider.http.get("/openai/v1/models", headers=OPENAI)
    seen = provider.lines("requests.jsonl")[-1]
    assert ("/openai/v1/models", OPENAI["Authorization"]) == (seen["path"], seen["headers"]["authorization"])
    for name in ("requests.jsonl", "mails.jsonl"):
        path = provider.folder / name
        assert not path.exists() or path.stat().st_mode & 0o077 == 0
