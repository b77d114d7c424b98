"""Tables of the accounts: users, their profile, tokens and keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from app.db.columns import created, identity, metadata, moment, owner, updated

user = Table(
    "user",
    metadata,
    identity(),
    Column("username", String(50), unique=True, nullable=False),
    Column("email", String(255), unique=True, nullable=False),
    Column("hashed_password", String(255), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default="true"),
    Column("is_superuser", Boolean, nullable=False, server_default="false"),
    Column("is_email_verified", Boolean, nullable=False, server_default="false"),
    created(),
    updated(),
)

user_profile = Table(
    "user_profile",
    metadata,
    identity(),
    owner(),
    Column("real_name", String(100)),
    Column("discord_username", String(50)),
    Column("phone", String(20)),
    Column("region", String(64)),
    Column("payment_provider", String(50)),
    Column("payment_customer_id", String(255)),
    Column("display_name", String(100)),
    Column("preferred_pronouns", String(32)),
    Column("gender_identity", String(32)),
    Column("age_bracket", String(16)),
    Column("country_code", String(2)),
    Column("interests", JSONB),
    Column("bio", String(500)),
    Column("profile_visibility", String(16), nullable=False, server_default="friends"),
    created(),
    updated(),
    UniqueConstraint("user_id"),
)

user_preferences = Table(
    "user_preferences",
    metadata,
    identity(),
    owner(),
    Column("default_llm_provider", String(50)),
    Column("default_chat_model", String(100)),
    Column("default_lesson_model", String(100)),
    Column("default_tts_model", String(100)),
    Column("theme", String(20), server_default="auto"),
    Column("language_focus", String(20)),
    Column("daily_xp_goal", Integer, nullable=False, server_default="50"),
    Column("srs_daily_new_cards", Integer, nullable=False, server_default="10"),
    Column("srs_daily_review_limit", Integer, nullable=False, server_default="100"),
    Column("settings", JSONB),
    created(),
    updated(),
    UniqueConstraint("user_id"),
)

user_api_config = Table(
    "user_api_config",
    metadata,
    identity(),
    owner(),
    Column("provider", String(50), nullable=False),
    Column("encrypted_api_key", Text, nullable=False),
    Column("meta", JSONB),
    created(),
    updated(),
    UniqueConstraint("user_id", "provider", name="uq_user_provider"),
)

password_reset_token = Table(
    "password_reset_token",
    metadata,
    identity(),
    owner(),
    Column("token", String(255), unique=True, nullable=False),
    moment("expires_at", nullable=False),
    created(),
    moment("used_at"),
)

email_verification_token = Table(
    "email_verification_token",
    metadata,
    identity(),
    owner(cascade=True),
    Column("token", String(255), unique=True, nullable=False),
    Column("email", String(255), nullable=False),
    moment("expires_at", nullable=False),
    created(),
    moment("used_at"),
)

revoked_token = Table(
    "revoked_token",
    metadata,
    identity(),
    owner(cascade=True),
    Column("jti", String(64), unique=True, nullable=False),
    Column("token_type", String(16), nullable=False),
    moment("expires_at", nullable=False),
    moment("revoked_at", nullable=False, now=True),
)

demo_api_usage = Table(
    "demo_api_usage",
    metadata,
    identity(),
    owner(nullable=True, cascade=True),
    Column("ip_hash", String(64)),
    Column("provider", String(50), nullable=False),
    Column("daily_requests", Integer, nullable=False, server_default="0"),
    Column("weekly_requests", Integer, nullable=False, server_default="0"),
    created(),
    updated(),
)
