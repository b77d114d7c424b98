"""Which variables a release reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.systems.source.checkout import Checkout
from runbooks.systems.source.variables import read_by

SETTINGS = """\
from pydantic import Field
DEFAULT = "x"
class Other:
    NOT_OURS: str
class Settings(BaseSettings):
    model_config = {}
    DATABASE_URL: str
    REDIS_URL: str | None = None
    SECRET: str = Field(..., min_length=32)
    OTHER_SECRET: str = Field(min_length=32)
    SIZE: int = Field(default=5, gt=0)
    NAMES: list[str] = Field(default_factory=list)
    lower: int = 1
    @property
    def IS_DEV(self): ...
"""

MAIL = """\
import os
base = os.environ.get('MAIL_BASE', '') or os.environ["MAIL_HOST"]
os.getenv('SIZE')
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    for path, text in {
        "app/core/config.py": SETTINGS,
        "app/mail.py": MAIL,
        "tests/test_mail.py": "os.environ['ONLY_IN_TESTS']\n",
        "railway.json": json.dumps({"deploy": {"startCommand": "uvicorn --port ${PORT:-8000} --host $HOST"}}),
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Checkout(tmp_path)


def test_settings_are_the_annotated_names_of_the_class(checkout: Checkout) -> None:
    assert set(read_by(checkout).settings) == {
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET",
        "OTHER_SECRET",
        "SIZE",
        "NAMES",
    }


def test_those_without_a_default_are_required(checkout: Checkout) -> None:
    assert read_by(checkout).required == ["DATABASE_URL", "OTHER_SECRET", "SECRET"]


def test_what_is_read_elsewhere_is_told_with_its_place(checkout: Checkout) -> None:
    assert read_by(checkout).elsewhere == {
        "MAIL_BASE": "app/mail.py",
        "MAIL_HOST": "app/mail.py",
        "PORT": "the start command",
        "HOST": "the start command",
    }


def test_without_a_settings_class_nothing_is_known(checkout: Checkout) -> None:
    (checkout.folder / "app/core/config.py").unlink()

    with pytest.raises(SystemFault, match="settings class can't be found"):
        read_by(checkout)
