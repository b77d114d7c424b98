"""Tables of learning and play. No route of this stand-in writes most of them; erasure and backup cover all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from app.db.columns import created, identity, metadata, moment, owner, updated


def _text(name: str, length: int, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(length), nullable=nullable)


def _number(name: str, default: int | None = 0) -> Column[int]:
    if default is None:
        return Column(name, Integer, nullable=False)
    return Column(name, Integer, nullable=False, server_default=str(default))


def _flag(name: str, *, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default="true" if default else "false")


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, identity(), *parts, created(), updated())


user_progress = _table(
    "user_progress",
    owner(),
    *(
        _number(name)
        for name in ("xp_total", "level", "streak_days", "max_streak", "coins", "streak_freezes")
    ),
    *(
        _number(name)
        for name in ("total_lessons", "perfect_lessons", "total_exercises", "total_time_minutes")
    ),
    moment("last_lesson_at"),
    moment("last_streak_update"),
    Column("stats", JSONB),
    UniqueConstraint("user_id"),
)

user_skill = _table(
    "user_skill",
    owner(),
    _text("topic_type", 50),
    _text("topic_id", 200),
    Column("elo_rating", Float, nullable=False, server_default="1000"),
    Column("accuracy", Float),
    _number("total_attempts"),
    _number("correct_attempts"),
    moment("last_practiced_at"),
    Column("meta", JSONB),
    UniqueConstraint("user_id", "topic_type", "topic_id", name="uq_user_topic"),
)

user_achievement = _table(
    "user_achievement",
    owner(),
    _text("achievement_type", 50),
    _text("achievement_id", 200),
    moment("unlocked_at", nullable=False, now=True),
    Column("progress_current", Integer),
    Column("progress_target", Integer),
    Column("meta", JSONB),
    UniqueConstraint("user_id", "achievement_type", "achievement_id", name="uq_user_achievement"),
)

user_text_stats = _table(
    "user_text_stats",
    owner(),
    Column("work_id", ForeignKey("text_work.id"), nullable=False),
    Column("lemma_coverage_pct", Float),
    _number("tokens_seen"),
    _number("segments_completed"),
    _text("last_segment_ref", 100, nullable=True),
    Column("stats", JSONB),
    UniqueConstraint("user_id", "work_id", name="uq_user_work"),
)

user_srs_card = _table(
    "user_srs_card",
    owner(),
    _text("card_type", 50),
    _text("content_id", 200),
    Column("stability", Float, nullable=False, server_default="0"),
    Column("difficulty", Float, nullable=False, server_default="0"),
    _number("reps"),
    _number("lapses"),
    moment("due_at"),
    moment("last_review_at"),
)

user_quest = _table(
    "user_quest",
    owner(),
    _text("quest_type", 50),
    _text("quest_id", 100),
    _text("status", 20),
    _number("progress_current"),
    _number("progress_target", None),
    moment("expires_at"),
    moment("completed_at"),
)

user_vocabulary = _table(
    "user_vocabulary",
    owner(),
    _text("language_code", 8),
    _text("word", 150),
    _text("word_normalized", 150),
    _number("times_seen"),
    _number("times_correct"),
    _text("mastery_level", 32),
    moment("last_seen"),
    moment("next_review"),
    Column("meta", JSONB),
    UniqueConstraint("user_id", "language_code", "word", name="ix_user_vocab_unique"),
)

user_proficiency = _table(
    "user_proficiency",
    owner(),
    _text("language_code", 8),
    _text("proficiency_level", 32),
    _number("estimated_vocabulary_size"),
    _number("total_study_time_minutes"),
    _number("total_lessons_completed"),
    Column("assessment_scores", JSONB),
    UniqueConstraint("user_id", "language_code", name="ix_user_prof_unique"),
)

vocabulary_mastery = _table(
    "vocabulary_mastery",
    owner(),
    _text("language_code", 8),
    _text("word", 150),
    _text("mastery_achieved", 32),
    moment("achieved_at", nullable=False, now=True),
    _number("total_encounters", None),
    Column("final_accuracy", Float, nullable=False),
)

learning_event = _table(
    "learning_event",
    owner(),
    _text("event_type", 50),
    moment("event_timestamp", nullable=False, now=True),
    Column("data", JSONB),
)

daily_challenge = _table(
    "daily_challenge",
    owner(),
    _text("challenge_type", 50),
    _text("difficulty", 20),
    _text("title", 100),
    _text("description", 255),
    _number("target_value", None),
    _number("current_progress"),
    _number("coin_reward"),
    _number("xp_reward"),
    _flag("is_completed"),
    moment("completed_at"),
    moment("expires_at", nullable=False),
)

weekly_challenge = _table(
    "weekly_challenge",
    owner(),
    _text("challenge_type", 50),
    _text("difficulty", 20),
    _text("title", 200),
    Column("description", Text, nullable=False),
    _number("target_value", None),
    _number("current_progress"),
    _flag("is_completed"),
    moment("completed_at"),
    moment("expires_at", nullable=False),
    moment("week_start", nullable=False),
)

challenge_streak = _table(
    "challenge_streak",
    owner(),
    _number("current_streak"),
    _number("longest_streak"),
    _number("total_days_completed"),
    moment("last_completion_date", nullable=False, now=True),
    _flag("is_active_today"),
    UniqueConstraint("user_id"),
)

double_or_nothing = _table(
    "double_or_nothing",
    owner(),
    _number("wager_amount", None),
    _number("days_required", None),
    _number("days_completed"),
    _flag("is_active", default=True),
    _flag("is_won"),
    _flag("is_lost"),
    moment("started_at", nullable=False, now=True),
    moment("completed_at"),
)

friendship = _table(
    "friendship",
    owner(),
    owner("friend_id"),
    owner("initiated_by_user_id"),
    _text("status", 20),
    moment("accepted_at"),
    UniqueConstraint("user_id", "friend_id", name="uq_friendship"),
)

friend_challenge = _table(
    "friend_challenge",
    owner("initiator_user_id"),
    owner("opponent_user_id"),
    owner("winner_user_id", nullable=True),
    _text("challenge_type", 50),
    _number("target_value", None),
    _number("initiator_progress"),
    _number("opponent_progress"),
    _text("status", 20),
    moment("expires_at", nullable=False),
    moment("completed_at"),
)

leaderboard_entry = _table(
    "leaderboard_entry",
    owner(),
    _text("board_type", 20),
    _text("region", 50, nullable=True),
    _number("rank", None),
    _number("xp_total", None),
    _number("level", None),
    moment("calculated_at", nullable=False, now=True),
)

power_up_inventory = _table(
    "power_up_inventory",
    owner(),
    _text("power_up_type", 50),
    _number("quantity"),
    _number("active_count"),
    UniqueConstraint("user_id", "power_up_type", name="uq_user_powerup"),
)

power_up_usage = _table(
    "power_up_usage",
    owner(),
    _text("power_up_type", 50),
    moment("activated_at", nullable=False, now=True),
    moment("expires_at"),
    _flag("is_active", default=True),
)
