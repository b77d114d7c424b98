"""Lessons: exercises made by a language model from the database's words and lines."""

from __future__ import annotations

import json
import logging
import os

from fastapi import APIRouter, HTTPException
from pydantic import ValidationError

from app.core.config import settings
from app.db.engine import Database
from app.db.languages import LANGUAGES
from app.learning.echo_lesson import echo_tasks
from app.learning.lesson_models import (
    BUILT_TASKS,
    LessonGenerateRequest,
    LessonMaterial,
    LessonMeta,
    LessonResponse,
    VendorLesson,
)
from app.learning.material import lesson_material
from app.vendors.http import VendorError
from app.vendors.prompt import Prompt
from app.vendors.registry import VENDORS, Keys, RequestKeys

log = logging.getLogger("app.lessons")
router = APIRouter(prefix="/lesson", tags=["Lesson"])

INSTRUCTIONS = (
    "You write exercises for a learner of an ancient language. Use only the given words and lines. "
    'Answer with one JSON object {"tasks": [...]}. Each task has a "type": '
    'match {"pairs":[{"native","en"}]}, translate {"text","direction","sampleSolution"}, '
    'cloze {"source_kind","ref","text","blanks":[{"surface","idx"}]}, '
    'multiplechoice {"question","options","answer_index"}.'
)


@router.post("/generate")
async def generate_lesson(
    request: LessonGenerateRequest, connection: Database, keys: RequestKeys
) -> LessonResponse:
    if request.language not in LANGUAGES:
        raise HTTPException(400, f"Unsupported language: {request.language}")
    if not BUILT_TASKS & set(request.exercise_types):
        raise HTTPException(400, f"None of these exercise types: {', '.join(sorted(BUILT_TASKS))}")
    material = await lesson_material(connection, request.language)
    if request.provider == "echo":
        return _echo(request, material, note=None)
    if os.environ.get("BYOK_FAKE") == "1":
        return LessonResponse(meta=_meta(request, "openai", "fake", None), tasks=echo_tasks(request, material))
    try:
        return await _ask_vendor(request, material, keys)
    except VendorError as error:
        log.warning("lesson failed provider=%s note=%s", request.provider, error.note)
        if not settings.ECHO_FALLBACK_ENABLED:
            raise HTTPException(503, f"Lesson provider failed: {error.note}") from None
        return _echo(request, material, note=error.note)


def _echo(request: LessonGenerateRequest, material: LessonMaterial, note: str | None) -> LessonResponse:
    tasks = echo_tasks(request, material)
    if not tasks:
        raise HTTPException(503, f"No lesson content for {request.language}")
    return LessonResponse(meta=_meta(request, "echo", "echo:v0", note), tasks=tasks)


async def _ask_vendor(request: LessonGenerateRequest, material: LessonMaterial, keys: Keys) -> LessonResponse:
    vendor = VENDORS[request.provider]
    model = request.model or vendor.default_model
    wanted = {
        "language": request.language,
        "profile": request.profile,
        "exercise_types": [kind for kind in request.exercise_types if kind in BUILT_TASKS],
        "task_count": request.task_count,
        **material.model_dump(),
    }
    prompt = Prompt(INSTRUCTIONS, json.dumps(wanted, ensure_ascii=False), wants_json=True)
    answer = await vendor.complete(await keys.for_vendor(request.provider), model, prompt)
    try:
        lesson = VendorLesson.model_validate_json(answer.text)
    except ValidationError as error:
        raise VendorError(f"{request.provider}_bad_payload") from error
    return LessonResponse(meta=_meta(request, request.provider, model, None), tasks=lesson.tasks)


def _meta(request: LessonGenerateRequest, provider: str, model: str, note: str | None) -> LessonMeta:
    return LessonMeta(
        language=request.language, profile=request.profile, provider=provider, model=model, note=note
    )
