"""Files for timers, each judged by what would read it: systemd, a parser of crontabs, GitHub's own schema."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from croniter import croniter

from runbooks import project, schedule
from runbooks.engine.errors import InputError
from runbooks.environment.load import load
from tests.environment.inventories import SMALL, damaged, inventory_with

ODD = "a 100% $HOME's place"
KEEPS = SMALL + "\n[backup]\nkeep = { daily = 7 }\n\n[secrets]\nsource = 'environment'\nprefix = 'PRAVIEL_'\n"


@pytest.fixture(params=["plain", ODD])
def inventory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One environment, in a folder with an ordinary name, or with one that means something to every format."""
    root = tmp_path / request.param
    made = inventory_with(root, production=KEEPS)
    monkeypatch.setenv(project.VARIABLE, str(root))
    return made


def rendered(inventory: Path, target: str) -> dict[str, str]:
    return schedule.files(load(inventory, "production"), target)


def after(cron: str, moment: str, count: int) -> list[str]:
    found = croniter(cron, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    return [f"{found.get_next(datetime):%Y-%m-%d %H:%M}" for _ in range(count)]


def test_work_is_done_daily_quarterly_and_hourly(inventory: Path) -> None:
    jobs = {job.name: job for job in schedule.jobs(load(inventory, "production"))}

    assert set(jobs) == {"backup", "prune", "drill", "watch"}
    assert after(jobs["backup"].cron, "2026-02-28", 2) == ["2026-02-28 02:30", "2026-03-01 02:30"]
    assert after(jobs["drill"].cron, "2026-01-02T05:00", 4) == [
        f"{day} 04:30" for day in ("2026-04-02", "2026-07-02", "2026-10-02", "2027-01-02")
    ]
    assert after(jobs["watch"].cron, "2026-01-01", 2) == ["2026-01-01 00:17", "2026-01-01 01:17"]
    assert jobs["backup"].words[:5] == ("backup.create", "--env", "production", "--confirm", "production")


def test_the_drill_has_a_server_of_its_own_where_the_inventory_says_so(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production=f"{SMALL}\n[schedule]\ndrill_cluster = true\n")

    (drill,) = (each for each in schedule.jobs(load(inventory, "production")) if each.name == "drill")

    assert drill.words[:2] == ("backup.drill", "--cluster")


def test_without_a_rule_nothing_is_pruned_and_without_protection_nothing_confirmed(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, staging=damaged("schema = 1", "schema = 1\nprotected = false"))

    jobs = list(schedule.jobs(load(inventory, "staging")))

    assert [job.name for job in jobs] == ["backup", "drill", "watch"]
    assert not any("--confirm" in job.words for job in jobs)


def test_a_parser_of_crontabs_takes_every_line(inventory: Path) -> None:
    ((name, text),) = rendered(inventory, "cron").items()
    lines = [line for line in text.splitlines() if line and line[0] in "*0123456789"]

    assert re.fullmatch(r"[A-Za-z0-9_-]+", name), "cron.d reads no other name"
    assert len(lines) == 4
    for line in lines:
        assert croniter.is_valid(" ".join(line.split()[:5]))
        assert not re.search(r"(?<!\\)%", line)
        command = shlex.split(line.split(maxsplit=6)[6].replace(r"\%", "%"))
        assert command[:3] == ["cd", str(Path(schedule.__file__).parent.parent), "&&"]
        assert Path(command[3]).exists()


VERIFY = shutil.which("systemd-analyze")


@pytest.mark.skipif(VERIFY is None, reason="systemd-analyze is not installed: apt-get install systemd")
def test_systemd_takes_every_unit(inventory: Path, tmp_path: Path) -> None:
    def verify() -> str:
        assert VERIFY
        units = [str(path) for path in sorted(folder.iterdir())]
        done = subprocess.run(
            [VERIFY, "verify", "--man=no", *units], capture_output=True, text=True, timeout=60, check=False
        )
        said = done.stdout + done.stderr
        return "\n".join(line for line in said.splitlines() if "praviel" in line) + (
            "failed" if done.returncode else ""
        )

    folder = tmp_path / "units"
    schedule.render("systemd", "production", str(folder))
    assert len(list(folder.iterdir())) == 8
    assert verify() == ""

    unit = folder / "praviel-runbooks-production-drill.service"
    unit.write_text(unit.read_text().replace("Type=oneshot", "Type=onshot"))
    assert "onshot" in verify(), "the gate can fail"


@pytest.mark.skipif(VERIFY is None, reason="systemd-analyze is not installed: apt-get install systemd")
def test_systemd_and_cron_mean_the_same_moment(inventory: Path) -> None:
    assert VERIFY
    for job in schedule.jobs(load(inventory, "production")):
        asked = [VERIFY, "calendar", "--base-time=2026-03-15 00:00:00 UTC", "--iterations=3", job.calendar]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True, env={"TZ": "UTC"})
        found = re.findall(r"(?:Next elapse|Iter\. #\d|Iteration #\d): \w+ (\S+ \d\d:\d\d):00 UTC", done.stdout)
        assert found == after(job.cron, "2026-03-15", 3)


def valid(workflow: Path) -> bool:
    asked = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0


def test_github_s_schema_takes_the_workflow(inventory: Path, tmp_path: Path) -> None:
    ((name, text),) = rendered(inventory, "github").items()
    workflow = tmp_path / name
    workflow.write_text(text)
    assert valid(workflow)

    workflow.write_text(text.replace("runs-on:", "runs_on:"))
    assert not valid(workflow), "the gate can fail"


def test_each_of_github_s_schedules_starts_one_job(inventory: Path) -> None:
    ((_, text),) = rendered(inventory, "github").items()
    workflow = yaml.safe_load(text)
    schedules = [entry["cron"] for entry in workflow[True]["schedule"]]  # YAML 1.1 reads the key "on" as true

    for cron in schedules:
        assert len([name for name, job in workflow["jobs"].items() if f"'{cron}'" in job["if"]]) == 1
    assert workflow["jobs"]["backup"]["env"]["PRAVIEL_FINGERPRINT_KEY"] == "${{ secrets.PRAVIEL_FINGERPRINT_KEY }}"
    assert list(workflow["jobs"]) == workflow[True]["workflow_dispatch"]["inputs"]["job"]["options"]


def test_what_somebody_else_wrote_is_not_replaced(inventory: Path, tmp_path: Path) -> None:
    schedule.render("cron", "production", str(tmp_path / "out"))
    schedule.render("cron", "production", str(tmp_path / "out"))
    (tmp_path / "out" / "praviel-runbooks-production").write_text("# mine\n")

    with pytest.raises(InputError, match="another file of this name"):
        schedule.render("cron", "production", str(tmp_path / "out"))
    with pytest.raises(InputError, match="no target is called"):
        schedule.render("launchd", "production", None)
    assert (tmp_path / "out" / "praviel-runbooks-production").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('backup_at = "24:00"', "'schedule.backup_at' must be a time of day"),
        ('prune_at = "02:30"', "the same as 'schedule.backup_at'"),
        ("drill_day = 31", "from 1 to 28"),
        ("watch_minute = 60", "from 0 to 59"),
    ],
)
def test_a_time_that_there_is_not_is_refused(line: str, said: str, tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production=f"{SMALL}\n[schedule]\n{line}\n")

    with pytest.raises(InputError, match=re.escape(said)):
        load(inventory, "production")
