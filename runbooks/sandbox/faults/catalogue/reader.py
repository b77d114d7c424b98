"""Content that is gone, cut off or wrong."""

from __future__ import annotations

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built

FAULTS = (
    built("search-empty", "reader.search", "no text is found, 0 results in all"),
    built("reader-truncated", "reader.text", "truncated: 6 of 7 segments from 1.1 to 1.7"),
    built("lemmas-lost", "reader.morphology", "no lemma at all"),
    Fault(
        name="lemma-wrong",
        breaks="reader.morphology",
        shows="the lemma is μήν",
        means=means.rows(
            "UPDATE token SET lemma = 'μήν' WHERE surface_fold = 'μηνιν'",
            "UPDATE token SET lemma = 'μῆνις' WHERE surface_fold = 'μηνιν'",
        ),
    ),
    Fault(
        name="vocabulary-empty",
        breaks="reader.vocabulary",
        shows="the word is not found",
        also=("ai.lessons-openai", "ai.lessons-anthropic", "ai.lessons-google", "verification.seed-data"),
        means=means.ruin("TRUNCATE generated_vocabulary"),
    ),
    Fault(
        name="texts-gone",
        breaks="reader.text",
        shows="no text of that title in grc-cls",
        also=("postgres.pgvector", "reader.search", "reader.morphology", "verification.seed-data"),
        means=means.ruin("TRUNCATE text_work CASCADE"),
    ),
    Fault(
        name="rows-gone",
        breaks="verification.seed-data",
        shows="no texts in hbo; text_work has 4 rows of 5; text_segment has 21 rows of 24",
        means=means.ruin("""
            CREATE TEMP TABLE gone AS SELECT w.id FROM text_work w JOIN language l ON l.id = w.language_id
                WHERE l.code = 'hbo';
            DELETE FROM token USING text_segment s WHERE s.id = token.segment_id AND s.work_id IN (TABLE gone);
            DELETE FROM text_segment WHERE work_id IN (TABLE gone);
            DELETE FROM text_work WHERE id IN (TABLE gone);
        """),
    ),
)
