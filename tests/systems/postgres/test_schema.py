"""Tables compared with what they should be made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbooks.systems.postgres.schema import Schema, differences, strangers

WANTED = Schema(
    {
        "word": {"id": "integer NOT NULL", "lemma": "character varying(64)", "emb": "vector(1536)"},
        "text": {"id": "int"},
    },
    {"word": frozenset({"UNIQUE (lemma)", "PRIMARY KEY (id)"}), "text": frozenset()},
)


def changed(**columns: str | None) -> Schema:
    """The wanted schema with columns of ``word`` changed; None drops one."""
    word = {**WANTED.columns["word"], **columns}
    kept = {name: definition for name, definition in word.items() if definition is not None}
    return Schema({**WANTED.columns, "word": kept}, WANTED.rules)


def test_the_same_schema_does_not_differ() -> None:
    assert differences(WANTED, Schema.from_json(json.loads(json.dumps(WANTED.as_json())))) == []


@pytest.mark.parametrize(
    ("there", "difference"),
    [
        (changed(emb="bytea"), "word.emb is bytea instead of vector(1536)"),
        (changed(lemma="character varying(64) NOT NULL"), "word.lemma is character varying(64) NOT NULL instead of"),
        (changed(stem="text"), "word.stem is made by no migration"),
        (Schema({"word": WANTED.columns["word"]}, WANTED.rules), "table text is missing"),
        (Schema(WANTED.columns, {"word": frozenset({"PRIMARY KEY (id)"})}), "word has lost UNIQUE (lemma)"),
    ],
)
def test_each_difference_is_told(there: Schema, difference: str) -> None:
    (found,) = differences(WANTED, there)

    assert found.startswith(difference)


def test_what_a_dropped_column_took_along_is_not_told_again() -> None:
    there = Schema(changed(lemma=None).columns, {"word": frozenset({"PRIMARY KEY (id)"})})

    assert differences(WANTED, there) == ["word.lemma is missing"]


def test_tables_and_indexes_of_the_operators_own_are_no_difference() -> None:
    more = {"word": WANTED.rules["word"] | {"CREATE INDEX mine ON word USING btree (lemma)"}}
    there = Schema({**WANTED.columns, "word_backup": {"id": "integer"}}, more)

    assert (differences(WANTED, there), strangers(WANTED, there)) == ([], ["word_backup"])


@pytest.mark.parametrize("damaged", [{}, {"columns": [], "rules": {}}, {"columns": {"a": 1}, "rules": {}}])
def test_a_damaged_file_is_no_schema(damaged: Any) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        Schema.from_json(damaged)
