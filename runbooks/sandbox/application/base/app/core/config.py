"""Settings: environment variables, case-sensitive; an unusable value stops the process at import."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_JWT_SECRET_KEY = "CHANGE_ME_IN_PRODUCTION_USE_RANDOM_STRING"
DEVELOPMENT = frozenset({"dev", "development", "local"})
OUTDATED_MODELS = ("gpt-4", "gpt-3", "claude-3", "claude-2", "gemini-1")


class Settings(BaseSettings):
    """Every variable that the application reads through its settings."""

    # Values stay out of validation errors: those are printed to the platform's log.
    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore", hide_input_in_errors=True)

    PROJECT_NAME: str = "PRAVIEL API (LDSv1)"
    API_V1_STR: str = "/api/v1"
    ENVIRONMENT: str = "dev"
    ALLOW_DEV_CORS: bool = False
    FRONTEND_URL: str = "https://app.praviel.com"

    DATABASE_URL: str
    DB_POOL_SIZE: int = 5
    DB_MAX_OVERFLOW: int = 5
    DB_POOL_RECYCLE: int = 3600
    REDIS_URL: str | None = None

    JWT_SECRET_KEY: str = DEFAULT_JWT_SECRET_KEY
    JWT_ALGORITHM: str = "HS256"
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 10080
    REFRESH_TOKEN_EXPIRE_MINUTES: int = 43200
    ENCRYPTION_KEY: str | None = None

    BYOK_ENABLED: bool = True
    BYOK_ALLOWED_HEADERS: list[str] = ["authorization", "x-model-key"]
    LESSONS_ENABLED: bool = True
    TTS_ENABLED: bool = True
    COACH_ENABLED: bool = True
    ECHO_FALLBACK_ENABLED: bool = True

    DEMO_ENABLED: bool = True
    DEMO_DAILY_REQUEST_LIMIT: int = 30
    DEMO_WEEKLY_REQUEST_LIMIT: int = 150
    DEMO_OPENAI_API_KEY: str | None = None
    DEMO_ANTHROPIC_API_KEY: str | None = None
    DEMO_GOOGLE_API_KEY: str | None = None
    OPENAI_API_KEY: str | None = None
    ANTHROPIC_API_KEY: str | None = None
    GOOGLE_API_KEY: str | None = None

    COACH_DEFAULT_MODEL: str = "gpt-5-mini-2025-08-07"
    LESSONS_OPENAI_DEFAULT_MODEL: str = "gpt-5-nano-2025-08-07"
    LESSONS_ANTHROPIC_DEFAULT_MODEL: str = "claude-sonnet-4-5-20250929"
    LESSONS_GOOGLE_DEFAULT_MODEL: str = "gemini-2.5-flash"
    HEALTH_OPENAI_MODEL: str = "gpt-5-nano-2025-08-07"
    HEALTH_ANTHROPIC_MODEL: str = "claude-sonnet-4-5-20250929"
    HEALTH_GOOGLE_MODEL: str = "gemini-2.5-flash"
    TTS_DEFAULT_MODEL: str = "tts-1"
    TTS_GOOGLE_DEFAULT_MODEL: str = "gemini-2.5-flash-tts"
    TTS_LICENSE_GUARD: bool = True
    EMBED_DIM: int = 1536
    DATA_VENDOR_ROOT: str = "../data/vendor"
    DATA_DERIVED_ROOT: str = "../data/derived"

    EMAIL_PROVIDER: Literal["console", "resend", "sendgrid", "aws_ses", "mailgun", "postmark"] = "console"
    EMAIL_FROM_ADDRESS: str = "noreply@praviel.com"
    EMAIL_FROM_NAME: str = "PRAVIEL"
    RESEND_API_KEY: str | None = None
    SENDGRID_API_KEY: str | None = None
    AWS_REGION: str | None = None
    AWS_ACCESS_KEY_ID: str | None = None
    AWS_SECRET_ACCESS_KEY: str | None = None
    MAILGUN_API_KEY: str | None = None
    MAILGUN_DOMAIN: str | None = None
    POSTMARK_SERVER_TOKEN: str | None = None
    SENTRY_DSN: str | None = None

    @property
    def is_development(self) -> bool:
        return self.ENVIRONMENT in DEVELOPMENT

    @field_validator("ENVIRONMENT")
    @classmethod
    def _lower_case(cls, value: str) -> str:
        return value.lower()

    @field_validator(
        "COACH_DEFAULT_MODEL",
        "LESSONS_OPENAI_DEFAULT_MODEL",
        "LESSONS_ANTHROPIC_DEFAULT_MODEL",
        "LESSONS_GOOGLE_DEFAULT_MODEL",
        "HEALTH_OPENAI_MODEL",
        "HEALTH_ANTHROPIC_MODEL",
        "HEALTH_GOOGLE_MODEL",
        "TTS_DEFAULT_MODEL",
        "TTS_GOOGLE_DEFAULT_MODEL",
    )
    @classmethod
    def _current_model(cls, value: str) -> str:
        if any(outdated in value for outdated in OUTDATED_MODELS):
            msg = "names a retired model family"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _safe_secrets(self) -> Self:
        if len(self.JWT_SECRET_KEY) < 32:
            msg = "JWT_SECRET_KEY must have at least 32 characters"
            raise ValueError(msg)
        if self.is_development:
            return self
        if self.JWT_SECRET_KEY == DEFAULT_JWT_SECRET_KEY:
            msg = "JWT_SECRET_KEY must not be the default outside development"
            raise ValueError(msg)
        if not self.ENCRYPTION_KEY:
            msg = "ENCRYPTION_KEY is required outside development"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _mail_provider_is_configured(self) -> Self:
        required = {
            "resend": ("RESEND_API_KEY",),
            "sendgrid": ("SENDGRID_API_KEY",),
            "aws_ses": ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            "mailgun": ("MAILGUN_API_KEY", "MAILGUN_DOMAIN"),
            "postmark": ("POSTMARK_SERVER_TOKEN",),
        }
        missing = [name for name in required.get(self.EMAIL_PROVIDER, ()) if not getattr(self, name)]
        if missing:
            msg = f"EMAIL_PROVIDER={self.EMAIL_PROVIDER} needs {', '.join(missing)}"
            raise ValueError(msg)
        return self


settings = Settings()  # type: ignore[call-arg]  # the values come from the environment
