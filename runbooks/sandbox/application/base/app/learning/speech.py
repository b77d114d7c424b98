"""Speech: text in, a WAV file out."""

from __future__ import annotations

import base64
import io
import logging
import math
import wave
from array import array
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from app.core.config import settings
from app.vendors import openai
from app.vendors.http import VendorError
from app.vendors.registry import Keys, RequestKeys

log = logging.getLogger("app.speech")
router = APIRouter(prefix="/tts", tags=["TTS"])

SAMPLE_RATE = 22050
TONE_HERTZ = 440
SECONDS_PER_CHARACTER = 0.02


class TTSSpeakRequest(BaseModel):
    text: str = Field(min_length=1, max_length=4000)
    provider: Literal["echo", "openai", "google"] = "echo"
    model: str | None = None
    voice: str | None = None
    format: Literal["wav"] = "wav"


class TTSAudioPayload(BaseModel):
    mime: str = "audio/wav"
    b64: str


class TTSAudioMeta(BaseModel):
    provider: str
    model: str
    sample_rate: int
    note: str | None = None


class TTSSpeakResponse(BaseModel):
    audio: TTSAudioPayload
    meta: TTSAudioMeta


@router.post("/speak")
async def speak(request: TTSSpeakRequest, keys: RequestKeys) -> TTSSpeakResponse:
    if request.provider == "echo":
        return _answer(_tone(request.text), "echo", "echo:v0", None)
    try:
        return await _ask_vendor(request, keys)
    except VendorError as error:
        log.warning("speech failed provider=%s note=%s", request.provider, error.note)
        if not settings.ECHO_FALLBACK_ENABLED:
            raise HTTPException(503, f"Speech provider failed: {error.note}") from None
        return _answer(_tone(request.text), "echo", "echo:v0", error.note)


async def _ask_vendor(request: TTSSpeakRequest, keys: Keys) -> TTSSpeakResponse:
    if request.provider != "openai":
        raise VendorError(f"{request.provider}_speech_not_built")
    model = request.model or settings.TTS_DEFAULT_MODEL
    key = await keys.for_vendor("openai")
    audio = await openai.speak(key, model, request.voice or "alloy", request.text)
    return _answer(audio, "openai", model, None)


def _answer(audio: bytes, provider: str, model: str, note: str | None) -> TTSSpeakResponse:
    try:
        with wave.open(io.BytesIO(audio)) as file:
            rate = file.getframerate()
    except (wave.Error, EOFError) as error:
        raise VendorError(f"{provider}_bad_payload") from error
    encoded = base64.b64encode(audio).decode()
    meta = TTSAudioMeta(provider=provider, model=model, sample_rate=rate, note=note)
    return TTSSpeakResponse(audio=TTSAudioPayload(b64=encoded), meta=meta)


def _tone(text: str) -> bytes:
    """A tone as long as the text: audible proof of the way to the loudspeaker, not speech."""
    count = int(SAMPLE_RATE * min(10, 0.2 + SECONDS_PER_CHARACTER * len(text)))
    wavelength = 2 * math.pi * TONE_HERTZ / SAMPLE_RATE
    samples = array("h", (int(8000 * math.sin(wavelength * position)) for position in range(count)))
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return target.getvalue()
