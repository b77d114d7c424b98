"""A lesson without a language model: exercises cut from the database's own words and lines."""

from __future__ import annotations

from app.learning.lesson_models import (
    ClozeBlank,
    ClozeTask,
    LessonGenerateRequest,
    LessonMaterial,
    MatchTask,
    MultipleChoiceTask,
    Task,
    TranslateTask,
)

PAIRS_PER_MATCH = 4


def echo_tasks(request: LessonGenerateRequest, material: LessonMaterial) -> list[Task]:
    """At most ``task_count`` tasks of the requested types, round and round."""
    builders = {
        "match": _match(material),
        "translate": _translate(material),
        "cloze": _cloze(material),
        "multiplechoice": _choice(material),
    }
    pools = [builders[kind] for kind in dict.fromkeys(request.exercise_types) if kind in builders]
    tasks: list[Task] = []
    while any(pools) and len(tasks) < request.task_count:
        for pool in pools:
            if pool and len(tasks) < request.task_count:
                tasks.append(pool.pop(0))
    return tasks


def _match(material: LessonMaterial) -> list[Task]:
    words = material.words
    groups = [words[start : start + PAIRS_PER_MATCH] for start in range(0, len(words), PAIRS_PER_MATCH)]
    return [MatchTask(pairs=group) for group in groups]


def _translate(material: LessonMaterial) -> list[Task]:
    return [TranslateTask(text=word.native, sampleSolution=word.en) for word in material.words]


def _cloze(material: LessonMaterial) -> list[Task]:
    tasks: list[Task] = []
    for line in material.lines:
        words = line["text"].split()
        index = max(range(len(words)), key=lambda position: len(words[position]))
        blank = ClozeBlank(surface=words[index], idx=index)
        text = " ".join("____" if position == index else word for position, word in enumerate(words))
        tasks.append(ClozeTask(source_kind="canon", ref=line["ref"], text=text, blanks=[blank]))
    return tasks


def _choice(material: LessonMaterial) -> list[Task]:
    options = [word.en for word in material.words[:PAIRS_PER_MATCH]]
    if len(options) < 2:
        return []
    return [
        MultipleChoiceTask(question=f"What does {word.native} mean?", options=options, answer_index=index)
        for index, word in enumerate(material.words[:PAIRS_PER_MATCH])
    ]
