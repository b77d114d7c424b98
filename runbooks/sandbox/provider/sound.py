"""WAV files."""

from __future__ import annotations

import io
import math
import wave
from array import array

SAMPLE_RATE = 24000
SECONDS_PER_CHARACTER = 0.03


def spoken(text: str) -> bytes:
    """A tone whose length follows the text; no text, no sound, but still a valid header."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples(text))
    return target.getvalue()


def samples(text: str) -> bytes:
    """The same without a header: 16 bits a sample, one channel."""
    count = int(SAMPLE_RATE * SECONDS_PER_CHARACTER * min(len(text), 200))
    step = 2 * math.pi * 220 / SAMPLE_RATE
    return array("h", (int(6000 * math.sin(step * position)) for position in range(count))).tobytes()
