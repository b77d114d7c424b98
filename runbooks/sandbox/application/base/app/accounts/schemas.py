"""What the account routes take and give."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from app.accounts.passwords import check_strength

_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def _check_email(value: str) -> str:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        msg = "value is not a valid email address"
        raise ValueError(msg)
    local, _, domain = value.rpartition("@")
    return f"{local}@{domain.lower()}"


EmailAddress = Annotated[
    str, AfterValidator(_check_email), WithJsonSchema({"type": "string", "format": "email"})
]
StrongPassword = Annotated[str, Field(min_length=8, max_length=100), AfterValidator(check_strength)]
Visibility = Literal["public", "friends", "private"]


class UserRegisterRequest(BaseModel):
    username: str = Field(min_length=3, max_length=50, pattern=r"^[a-zA-Z0-9_-]+$")
    email: EmailAddress
    password: StrongPassword

    @field_validator("username")
    @classmethod
    def _at_most_30(cls, value: str) -> str:
        if len(value) > 30:
            msg = "Username must have at most 30 characters"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _password_without_username(self) -> Self:
        check_strength(self.password, self.username)
        return self


class UserLoginRequest(BaseModel):
    username_or_email: str = Field(min_length=1)
    password: str = Field(min_length=1)


class TokenRefreshRequest(BaseModel):
    refresh_token: str = Field(min_length=50, max_length=2000)


class TokenResponse(BaseModel):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"


class PasswordChangeRequest(BaseModel):
    old_password: str = Field(min_length=8, max_length=100)
    new_password: StrongPassword


class PasswordResetRequest(BaseModel):
    email: EmailAddress


class PasswordResetResponse(BaseModel):
    message: str
    email: str


class PasswordResetConfirm(BaseModel):
    token: str = Field(min_length=32, max_length=512)
    new_password: StrongPassword


class VerifyEmailRequest(BaseModel):
    token: str


class EmailVerificationResponse(BaseModel):
    message: str
    email: str


class UserProfilePublic(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    email: str = Field(json_schema_extra={"format": "email"})
    is_active: bool
    created_at: datetime
    real_name: str | None = None
    discord_username: str | None = None
    region: str | None = None
    display_name: str | None = None
    preferred_pronouns: str | None = None
    gender_identity: str | None = None
    age_bracket: str | None = None
    country_code: str | None = None
    interests: list[str] | None = None
    bio: str | None = None
    profile_visibility: Visibility = "friends"


class UserProfileUpdate(BaseModel):
    real_name: str | None = Field(default=None, max_length=100)
    discord_username: str | None = Field(default=None, max_length=50)
    phone: str | None = Field(default=None, max_length=20)
    region: str | None = Field(default=None, max_length=64)
    display_name: str | None = Field(default=None, max_length=100)
    preferred_pronouns: str | None = Field(default=None, max_length=32)
    gender_identity: str | None = Field(default=None, max_length=32)
    age_bracket: str | None = Field(default=None, max_length=16)
    country_code: str | None = Field(default=None, min_length=2, max_length=2)
    interests: list[str] | None = None
    bio: str | None = Field(default=None, max_length=500)
    profile_visibility: Visibility | None = None


class UserAPIKeyCreate(BaseModel):
    provider: str = Field(min_length=1, max_length=50, pattern="^(openai|anthropic|google|elevenlabs)$")
    api_key: str = Field(min_length=1, max_length=500)


class UserAPIKeyResponse(BaseModel):
    provider: str
    configured: bool = True
    created_at: datetime
    updated_at: datetime
