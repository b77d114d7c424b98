"""A release's own code, run in its own interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.source.interpreter import Interpreter


@pytest.fixture
def release(tmp_path: Path) -> Interpreter:
    return Interpreter(tmp_path, Path(sys.executable))


def settings(folder: Path, source: str) -> None:
    package = folder / "app" / "core"
    package.mkdir(parents=True)
    (package / "config.py").write_text(source)


def test_settings_load_with_these_variables_and_nothing_else(
    release: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INHERITED", "yes")
    settings(release.folder, "import os\nsettings = os.environ['GIVEN']\nassert 'INHERITED' not in os.environ\n")

    assert release.settings_problem({"GIVEN": Secret("GIVEN", "yes")}, 20) is None


def test_settings_that_do_not_load_show_the_exception_only(release: Interpreter) -> None:
    settings(release.folder, "import os\nos.environ['WANTED']\n")

    problem = release.settings_problem({}, 20)

    assert problem is not None
    assert problem.endswith("KeyError: 'WANTED'")
    assert "import os" not in problem


def test_settings_that_hang_are_unknown(release: Interpreter) -> None:
    settings(release.folder, "import time\ntime.sleep(60)\n")

    with pytest.raises(SystemFault, match="hangs") as caught:
        release.settings_problem({}, 0.5)

    assert caught.value.reason is Reason.TIMED_OUT


def test_without_an_interpreter_settings_are_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="can't be run here"):
        Interpreter(tmp_path, None).settings_problem({}, 1)
    with pytest.raises(SystemFault, match="can't be started"):
        Interpreter(tmp_path, tmp_path / "python").settings_problem({}, 1)


ENGINE = """\
from types import SimpleNamespace

class Connection:
    async def __aenter__(self):
        return self
    async def __aexit__(self, *error):
        pass
    async def rollback(self):
        pass
    async def execute(self, statement, values={"number": 0}):
        {answer}
        return SimpleNamespace(one=lambda: SimpleNamespace(name="shop", number=values["number"]))

class Engine:
    dialect = SimpleNamespace(driver="asyncpg")
    def connect(self):
        return Connection()
    async def dispose(self):
        pass

engine = Engine()
"""


def engine(folder: Path, answer: str) -> None:
    (folder / "session.py").write_text(ENGINE.replace("{answer}", answer))


def test_the_releases_own_engine_is_asked_twice(release: Interpreter) -> None:
    engine(release.folder, "print('noise of the application')")

    assert release.ask_database("session:engine", {}, 20) == {"ok": True, "database": "shop", "driver": "asyncpg"}


def test_a_pooler_that_mixes_sessions_up_fails_at_the_second(release: Interpreter) -> None:
    engine(release.folder, "if values['number'] == 2: raise KeyError('prepared statement \"__s1__\" does not exist')")

    answer = release.ask_database("session:engine", {}, 20)

    assert (answer["ok"], answer["stage"], answer["kind"]) == (False, "query", "KeyError")
    assert "prepared statement" in answer["error"]


def test_an_engine_that_is_not_there_is_told_apart_from_one_that_does_not_answer(release: Interpreter) -> None:
    answer = release.ask_database("nowhere:engine", {}, 20)

    assert (answer["stage"], answer["kind"]) == ("import", "ModuleNotFoundError")


def test_an_interpreter_that_dies_gives_no_answer(release: Interpreter) -> None:
    (release.folder / "session.py").write_text("raise SystemExit('the key is missing')\n")

    with pytest.raises(SystemFault, match="gave no answer") as caught:
        release.ask_database("session:engine", {}, 20)

    assert "the key is missing" in caught.value.found


def test_migrations_are_led_to_the_scratch_database_only(release: Interpreter) -> None:
    (release.folder / "alembic.py").write_text(
        "import os, sys\n"
        "told = {name: value for name, value in os.environ.items() if name != 'PATH' and name != 'PYTHONPATH'}\n"
        "sys.exit(repr(sorted(told.items())))\n"
    )
    variables = {
        "DATABASE_URL": "postgresql://app@production/praviel",
        "OTHER_URL": "postgres://app@production/praviel",
        "DETECTED_DB_HOST": "production",
        "PGHOST": "production",
        "JWT_SECRET_KEY": "k",
    }

    told = release.migrate(
        Secret("scratch", "postgresql://x@scratch/x"),
        {name: Secret(name, text) for name, text in variables.items()},
        20,
    )

    assert told is not None
    assert "production" not in told
    assert told.count("postgresql://x@scratch/x") == 2
    assert "JWT_SECRET_KEY" in told
