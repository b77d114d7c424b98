"""Providers that fail, answers that hold nothing, and answers that somebody else gave in their place."""

from __future__ import annotations

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built

RETIRED = "gpt-5-retired-2025-01-01"
"""A model that the provider does not have any more."""

FAULTS = (
    built("lesson-empty", "ai.lessons-openai", "the lesson has no task", "ai.lessons-anthropic", "ai.lessons-google"),
    Fault(
        name="lesson-hollow",
        breaks="ai.lessons-openai",
        shows="a task is empty",
        also=("ai.chat",),
        means=means.provider("openai", text='{"tasks": [{"type": "translate", "text": "", "sampleSolution": " "}]}'),
    ),
    Fault(
        name="openai-model-retired",
        breaks="ai.lessons-openai",
        shows="openai_404",
        also=("ai.chat", "api-keys.openai", "api-keys.rate-limits"),
        means=means.variable("LESSONS_OPENAI_DEFAULT_MODEL", RETIRED),
    ),
    Fault(
        name="anthropic-overloaded",
        breaks="ai.lessons-anthropic",
        shows="anthropic_529",
        also=("health.providers", "api-keys.anthropic", "api-keys.rate-limits", "api-keys.usage-watched"),
        means=means.provider("anthropic", status=529),
    ),
    Fault(
        name="google-down",
        breaks="ai.lessons-google",
        shows="google_503",
        also=("health.providers", "api-keys.google"),
        means=means.provider("google", status=503),
    ),
    Fault(
        name="fallback-hides-failure",
        breaks="ai.lessons-openai",
        shows="meta.provider is 'echo', with the note 'openai_404'",
        also=("ai.chat", "environment.echo-fallback-off", "api-keys.openai", "api-keys.rate-limits"),
        means=means.variables(LESSONS_OPENAI_DEFAULT_MODEL=RETIRED, ECHO_FALLBACK_ENABLED="true"),
    ),
    Fault(
        name="lessons-canned",
        breaks="ai.lessons-openai",
        shows="BYOK_FAKE is '1'",
        also=("ai.lessons-anthropic", "ai.lessons-google", "build.variables-complete"),
        means=means.variable("BYOK_FAKE", "1"),
    ),
    built("chat-echoes", "ai.chat", "the reply repeats the message"),
    built("coach-500", "ai.coach", "HTTP 500"),
    Fault(
        name="tts-empty",
        breaks="ai.tts",
        shows="0.0 s of sound in 44 bytes",
        means=means.provider("openai", empty_audio=True),
    ),
    built("byok-server-key-used", "byok.used", "it was made with the server's key"),
    built("byok-token-sent-as-key", "byok.used", "the user's token was sent to openai in place of a key"),
)
