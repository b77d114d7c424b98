"""What a lesson request and a lesson look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ExerciseType = Literal[
    "alphabet",
    "match",
    "cloze",
    "translate",
    "grammar",
    "listening",
    "speaking",
    "wordbank",
    "truefalse",
    "multiplechoice",
    "dialogue",
    "conjugation",
    "declension",
    "synonym",
    "contextmatch",
    "reorder",
    "dictation",
    "etymology",
    "comprehension",
]
Source = Literal["daily", "canon", "text_range"]
Profile = Literal["beginner", "intermediate"]
Provider = Literal["echo", "openai", "anthropic", "google"]


class TextRange(BaseModel):
    ref_start: str = Field(min_length=1)
    ref_end: str = Field(min_length=1)


class LessonGenerateRequest(BaseModel):
    language: str = Field(default="grc-cls", min_length=2)
    profile: Profile = "beginner"
    sources: list[Source] = ["daily", "canon"]
    exercise_types: list[ExerciseType] = ["match", "translate"]
    k_canon: int = Field(default=1, ge=0, le=10)
    include_audio: bool = False
    provider: Provider = "echo"
    model: str | None = None
    text_range: TextRange | None = None
    task_count: int = Field(default=20, ge=1, le=100)
    use_demo_key: bool = False
    register_: Literal["literary", "colloquial"] = Field(default="literary", alias="register")


class MatchPair(BaseModel):
    native: str
    en: str


class MatchTask(BaseModel):
    type: Literal["match"] = "match"
    pairs: list[MatchPair] = Field(min_length=1)


class TranslateTask(BaseModel):
    # The client reads sampleSolution in camel case.
    model_config = ConfigDict(populate_by_name=True)

    type: Literal["translate"] = "translate"
    direction: Literal["native->en", "en->native"] = "native->en"
    text: str
    rubric: str | None = None
    sample_solution: str | None = Field(default=None, alias="sampleSolution")


class ClozeBlank(BaseModel):
    surface: str
    idx: int = Field(ge=0)


class ClozeTask(BaseModel):
    type: Literal["cloze"] = "cloze"
    source_kind: Source
    ref: str | None = None
    text: str
    blanks: list[ClozeBlank] = Field(min_length=1)
    options: list[str] | None = None


class MultipleChoiceTask(BaseModel):
    type: Literal["multiplechoice"] = "multiplechoice"
    question: str
    context: str | None = None
    options: list[str] = Field(min_length=2)
    answer_index: int = Field(ge=0)


Task = Annotated[MatchTask | TranslateTask | ClozeTask | MultipleChoiceTask, Field(discriminator="type")]
BUILT_TASKS = frozenset({"match", "translate", "cloze", "multiplechoice"})


class LessonMeta(BaseModel):
    language: str
    profile: Profile
    provider: str
    model: str
    note: str | None = None


class LessonResponse(BaseModel):
    meta: LessonMeta
    tasks: list[Task]


class VendorLesson(BaseModel):
    """The JSON that a language model is asked for."""

    tasks: list[Task] = Field(min_length=1)


class LessonMaterial(BaseModel):
    """What a lesson may be made of: words with their meaning, and lines of text."""

    words: list[MatchPair]
    lines: list[dict[str, Any]]
