"""The coach answers questions about grammar, citing the topics that the database holds."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from app.core.config import settings
from app.db.engine import Database
from app.library.grammar import GrammarHit, find_grammar
from app.vendors.http import VendorError
from app.vendors.prompt import Prompt
from app.vendors.registry import VENDORS, RequestKeys

log = logging.getLogger("app.coach")
router = APIRouter(prefix="/coach", tags=["Coach"])

INSTRUCTIONS = "You coach a learner of ancient languages. Answer briefly. Grammar at hand:\n{topics}"


class ChatTurn(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1, max_length=10000)


class CoachRequest(BaseModel):
    q: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    history: list[ChatTurn] = Field(default=[], max_length=50)
    provider: Literal["echo", "openai"] = "echo"
    model: str | None = Field(default=None, max_length=100)


class CoachResponse(BaseModel):
    answer: str
    citations: list[str] = []
    usage: dict[str, Any] | None = None


@router.post("/chat")
async def coach_chat(request: CoachRequest, connection: Database, keys: RequestKeys) -> CoachResponse:
    question = request.q or next((t.content for t in reversed(request.history) if t.role == "user"), None)
    if question is None:
        raise HTTPException(400, "Ask a question: q, or a user turn in history")
    topics = await find_grammar(connection, question, limit=3, threshold=0.1)
    if request.provider == "echo":
        return _echo(question, topics, note=None)
    try:
        key = await keys.for_vendor(request.provider)
        model = request.model or settings.COACH_DEFAULT_MODEL
        answer = await VENDORS[request.provider].complete(key, model, _prompt(request, question, topics))
    except VendorError as error:
        log.warning("coach failed provider=%s note=%s", request.provider, error.note)
        if not settings.ECHO_FALLBACK_ENABLED:
            raise HTTPException(502, f"Coach provider failed: {error.note}") from None
        return _echo(question, topics, note=error.note)
    usage = {"provider": request.provider, "model": model, **(answer.usage or {})}
    return CoachResponse(answer=answer.text, citations=_citations(topics), usage=usage)


def _prompt(request: CoachRequest, question: str, topics: list[GrammarHit]) -> Prompt:
    turns = [(turn.role, turn.content) for turn in request.history if turn.role != "system"]
    if request.q is None:
        # The question is the last user turn: it goes last, what was said after it is dropped.
        del turns[max(index for index, (role, _) in enumerate(turns) if role == "user") :]
    listed = "\n".join(f"- {topic.title}: {topic.body}" for topic in topics)
    return Prompt(INSTRUCTIONS.format(topics=listed or "(nothing found)"), question, tuple(turns))


def _citations(topics: list[GrammarHit]) -> list[str]:
    return [topic.anchor for topic in topics]


def _echo(question: str, topics: list[GrammarHit], note: str | None) -> CoachResponse:
    return CoachResponse(
        answer=question, citations=_citations(topics), usage={"provider": "echo", "note": note}
    )
