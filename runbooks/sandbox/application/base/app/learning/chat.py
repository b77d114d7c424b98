"""Conversation with a persona of antiquity."""

from __future__ import annotations

import logging
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field, ValidationError

from app.core.config import settings
from app.vendors.http import VendorError
from app.vendors.prompt import Prompt
from app.vendors.registry import VENDORS, Keys, RequestKeys

log = logging.getLogger("app.chat")
router = APIRouter(prefix="/chat", tags=["Chat"])

PERSONAS = {
    "athenian_merchant": "a merchant in the agora of Athens, 400 BCE, who speaks Classical Greek",
    "spartan_warrior": "a soldier of Sparta, who speaks tersely in Doric-tinged Greek",
    "athenian_philosopher": "a philosopher of the Academy, who asks more than he answers",
    "roman_senator": "a senator of the late Roman republic, who speaks Classical Latin",
}
INSTRUCTIONS = (
    "You are {persona}. Stay in character. Answer with one JSON object: "
    '{{"reply": text in your language, "translation_help": English, "grammar_notes": [English]}}.'
)
CONTEXT_TURNS = 10


class ChatMessage(BaseModel):
    role: Literal["user", "assistant"]
    content: str


class ChatConverseRequest(BaseModel):
    message: str = Field(min_length=1)
    persona: str = "athenian_merchant"
    provider: Literal["echo", "openai", "anthropic", "google"] = "echo"
    model: str | None = None
    context: list[ChatMessage] = []


class ChatMeta(BaseModel):
    provider: str
    model: str
    persona: str
    context_length: int
    note: str | None = None


class VendorReply(BaseModel):
    """The JSON that a language model is asked for."""

    reply: str = Field(min_length=1)
    translation_help: str | None = None
    grammar_notes: list[str] = []


class ChatConverseResponse(VendorReply):
    reply: str
    meta: ChatMeta


@router.post("/converse")
async def chat_converse(request: ChatConverseRequest, keys: RequestKeys) -> ChatConverseResponse:
    if request.provider == "echo":
        return _echo(request, note=None)
    try:
        return await _ask_vendor(request, keys)
    except VendorError as error:
        log.warning("chat failed provider=%s note=%s", request.provider, error.note)
        if not settings.ECHO_FALLBACK_ENABLED:
            raise HTTPException(502, f"Chat provider failed: {error.note}") from None
        return _echo(request, note=error.note)


def _meta(request: ChatConverseRequest, provider: str, model: str, note: str | None = None) -> ChatMeta:
    return ChatMeta(
        provider=provider,
        model=model,
        persona=request.persona,
        context_length=len(request.context),
        note=note,
    )


def _echo(request: ChatConverseRequest, note: str | None) -> ChatConverseResponse:
    return ChatConverseResponse(reply=request.message, meta=_meta(request, "echo", "echo:v0", note))


async def _ask_vendor(request: ChatConverseRequest, keys: Keys) -> ChatConverseResponse:
    vendor = VENDORS[request.provider]
    model = request.model or vendor.default_model
    persona = PERSONAS.get(request.persona, request.persona)
    history = tuple((turn.role, turn.content) for turn in request.context[-CONTEXT_TURNS:])
    prompt = Prompt(INSTRUCTIONS.format(persona=persona), request.message, history, wants_json=True)
    answer = await vendor.complete(await keys.for_vendor(request.provider), model, prompt)
    try:
        reply = VendorReply.model_validate_json(answer.text)
    except ValidationError as error:
        raise VendorError(f"{request.provider}_bad_payload") from error
    return ChatConverseResponse(**reply.model_dump(), meta=_meta(request, request.provider, model))
