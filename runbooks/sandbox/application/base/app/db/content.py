"""Tables of the library: languages, texts, words and grammar."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.columns import Vector, created, identity, metadata, moment, updated

language = Table(
    "language",
    metadata,
    identity(),
    Column("code", String(8), unique=True, nullable=False),
    Column("name", String(64), nullable=False),
    created(),
    updated(),
)

source_doc = Table(
    "source_doc",
    metadata,
    identity(),
    Column("slug", String(64), unique=True, nullable=False),
    Column("title", String(256), nullable=False),
    Column("license", JSONB),
    Column("meta", JSONB),
    created(),
    updated(),
)

text_work = Table(
    "text_work",
    metadata,
    identity(),
    Column("language_id", ForeignKey("language.id"), nullable=False),
    Column("source_id", ForeignKey("source_doc.id"), nullable=False),
    Column("author", String(128), nullable=False),
    Column("title", String(256), nullable=False),
    Column("ref_scheme", String(64), nullable=False),
    created(),
    updated(),
)

text_segment = Table(
    "text_segment",
    metadata,
    identity(),
    Column("work_id", ForeignKey("text_work.id"), nullable=False),
    Column("ref", String(100)),
    Column("text_raw", Text, nullable=False),
    Column("text_nfc", Text, nullable=False),
    Column("text_fold", Text, nullable=False),
    Column("emb", Vector),
    Column("meta", JSONB),
    created(),
    updated(),
)

token = Table(
    "token",
    metadata,
    identity(),
    Column("segment_id", ForeignKey("text_segment.id"), nullable=False),
    Column("idx", Integer, nullable=False),
    Column("surface", String(150), nullable=False),
    Column("surface_nfc", String(150), nullable=False),
    Column("surface_fold", String(150), nullable=False),
    Column("lemma", String(150)),
    Column("lemma_fold", String(150)),
    Column("msd", JSONB),
    created(),
    updated(),
)

lexeme = Table(
    "lexeme",
    metadata,
    identity(),
    Column("language_id", ForeignKey("language.id"), nullable=False),
    Column("lemma", String(150), nullable=False),
    Column("lemma_fold", String(150), nullable=False),
    Column("pos", String(32)),
    Column("data", JSONB),
    created(),
    updated(),
)

grammar_topic = Table(
    "grammar_topic",
    metadata,
    identity(),
    Column("source_id", ForeignKey("source_doc.id"), nullable=False),
    Column("anchor", String(64), nullable=False),
    Column("title", String(256), nullable=False),
    Column("body", Text, nullable=False),
    Column("body_fold", Text, nullable=False),
    Column("emb", Vector),
    created(),
    updated(),
)

generated_vocabulary = Table(
    "generated_vocabulary",
    metadata,
    identity(),
    Column("language_code", String(8), nullable=False),
    Column("word", String(150), nullable=False),
    Column("word_normalized", String(150), nullable=False),
    Column("proficiency_level", String(32), nullable=False),
    Column("difficulty", String(32), nullable=False),
    Column("semantic_field", String(64), nullable=False),
    Column("vocabulary_data", JSONB, nullable=False),
    Column("times_requested", Integer, nullable=False, server_default="0"),
    moment("last_requested"),
    Column("emb", Vector),
    created(),
    updated(),
)
