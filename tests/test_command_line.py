"""The command line as it is typed: what it takes, what it prints, and how it ends."""

from __future__ import annotations

import inspect
import json
import os
import pty
import re
import select
import subprocess
import sys

import jsonschema
import pytest

import tasks
from runbooks.checks.items import BY_ID
from runbooks.checks.registry import known
from runbooks.sandbox.world import Sandbox
from tests.conftest import CHECKOUT, Shell
from tests.shops import Shop, tree, wait_for

TASKS = {name: tasks.namespace[name] for name in tasks.namespace.task_names}
ARGUMENTS = {name: task.get_arguments() for name, task in TASKS.items()}
"""Asked once: Invoke empties a task's help texts into them."""

SCHEMA = json.loads((CHECKOUT / "runbooks" / "report" / "verify.schema.json").read_text())
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x9b]")
QUICK = "environment.is-production"


def failed(done: subprocess.CompletedProcess[str], code: int, shows: str) -> None:
    assert (done.returncode, shows in done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code", "shows"),
    [
        (["release.verfy"], 1, "release.verfy"),
        (["release.verify", "--sektion", "x"], 1, "--sektion"),
        (["release.verify", "too-much"], 1, "too-much"),
        (["release.verify", "--env"], 1, "env"),
        (["runs.show"], 1, "'run'"),
        (["runs.resume"], 1, "'run'"),
        (["lease.break"], 1, "'reason'"),
        (["sandbox.break"], 1, "'fault'"),
        (["release.verify", "--env", "locl"], 2, "did you mean"),
        (["release.verify", "--env="], 2, "can't be an environment's name"),
        (["release.verify", "--env", "../local"], 2, "can't be an environment's name"),
        (["release.verify", "--env", "example"], 2, "is a template"),
        (["release.verify", "--format", "xml"], 2, "console, json, markdown"),
        (["release.verify", "--plan", "--format", "json"], 2, "leave --format out"),
        (["runs.show", "nothing-like-it"], 2, "no run answers to nothing-like-it"),
        (["runs.show", "latest"], 2, "no runs yet"),
        (["runs.resume", "latest"], 2, "no runs yet"),
        (["runs.abort", "latest"], 2, "no runs yet"),
        (["lease.break", "--reason", "asked her"], 2, "nobody holds the lease"),
        (["lease.break", "--reason", " "], 2, "needs a reason"),
        (["sandbox.break", "redis-no-pasword"], 2, "did you mean redis-no-password?"),
        (["sandbox.reset"], 2, "--confirm sandbox"),
        (["release.status"], 2, "invoke sandbox.up"),
    ],
)
def test_what_was_typed_wrong_is_said_in_a_line_that_helps(
    words: list[str], code: int, shows: str, bare_shell: Shell
) -> None:
    failed(bare_shell.invoke(*words), code, shows)
    assert not (bare_shell.project / "var" / "runs").exists()


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (["--only", "health.ap"], "did you mean health.app?"),
        (["--only", "nonsense-entirely"], "checklist.coverage lists them"),
        *[(["--only", id], "no check is built yet") for id in BY_ID if id not in known()][:1],
        (["--section", "Sekurity"], "no section is called 'Sekurity'"),
        (["--section", "Performance", "--only", "redis.password"], "no check is left"),
    ],
)
def test_a_selection_that_can_not_be_is_refused_with_a_suggestion(words: list[str], shows: str, shop: Shop) -> None:
    failed(shop.shell.invoke("release.verify", "--env", shop.name, *words), 2, shows)
    assert not shop.runs.exists()


@pytest.mark.parametrize("name", TASKS)
def test_each_task_says_what_it_does_and_what_each_parameter_means(name: str) -> None:
    task = TASKS[name]
    assert (task.__doc__ or "").strip()

    for argument in ARGUMENTS[name]:
        assert argument.help, f"{name} does not explain --{argument.name}"
    parameters = list(inspect.signature(task.body).parameters)[1:]
    assert {argument.name for argument in ARGUMENTS[name]} == set(parameters)


def test_the_list_and_the_completion_hold_every_task(bare_shell: Shell) -> None:
    listed = bare_shell.invoke("--list")
    script = bare_shell.invoke("--print-completion-script", "bash")
    completed = bare_shell.invoke("--complete", "--", "invoke ")

    for name in TASKS:
        assert name in listed.stdout
        assert name in completed.stdout.split()
    assert "complete -F" in script.stdout
    assert list(bare_shell.project.iterdir()) == [bare_shell.project / "inventory"]


@pytest.mark.parametrize("name", TASKS)
def test_an_argument_that_must_be_given_is_taken_without_a_flag(name: str) -> None:
    """Invoke takes an argument without its flag only if it has no default."""
    for argument in ARGUMENTS[name]:
        assert not (argument.positional and argument.default is not None)


def test_piped_output_is_plain_lines_that_end_with_verdict_and_log(shell: Shell) -> None:
    done = shell.invoke("release.verify", "--only", QUICK)

    assert done.returncode == 0, done.stderr
    assert not CONTROL.search(done.stdout)
    verdict, log = done.stdout.splitlines()[-2:]
    assert verdict.startswith("GO local (sandbox): 1 passed; only 1 of ")
    assert log.startswith("log:  ")
    assert log.split()[1].endswith("log.md")
    assert done.stderr == ""


def test_whoever_reads_no_further_is_no_traceback(bare_shell: Shell) -> None:
    nobody, pipe = os.pipe()
    os.close(nobody)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", "checklist.coverage"],
            cwd=CHECKOUT,
            env=bare_shell.environment(),
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(pipe)

    assert (done.returncode, done.stderr) == (141, "")


def on_a_terminal(shell: Shell, *words: str, **environment: str) -> str:
    """What a terminal is sent."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", *words],
        cwd=CHECKOUT,
        env=shell.environment({"TERM": "xterm", "COLUMNS": "120", **environment}),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    sent = b""
    try:
        while True:
            assert select.select([screen], [], [], 60)[0], "nothing more was sent for a minute"
            try:
                part = os.read(screen, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            sent += part
    finally:
        process.wait(30)
        os.close(screen)
    return sent.decode()


def test_a_terminal_gets_colours_and_none_where_they_are_not_wanted(shell: Shell) -> None:
    coloured = on_a_terminal(shell, "release.verify", "--only", QUICK)
    plain = on_a_terminal(shell, "release.verify", "--only", QUICK, NO_COLOR="1")

    colour = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
    assert colour.search(coloured)
    assert not colour.search(plain)
    assert "GO local (sandbox)" in plain
    assert "\x1b[?25l" not in coloured.rpartition("\x1b[?25h")[2], "the cursor is shown again"


def test_json_is_all_that_is_printed_and_keeps_its_schema(shell: Shell) -> None:
    done = shell.invoke("release.verify", "--format", "json")

    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert (done.returncode, report["exit_code"], report["verdict"]) == (0, 0, "GO")
    assert len(report["checks"]) == len(known())
    assert report["line"].startswith("GO local (sandbox)")


def test_json_is_all_that_is_printed_even_if_the_sandbox_must_be_started_first(shell: Shell, sandbox: Sandbox) -> None:
    program = sandbox.active_program("local")
    assert program in sandbox.manager.states()
    sandbox.manager.stop(program)

    done = shell.invoke("release.verify", "--format", "json", "--only", QUICK)

    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "GO"), done.stderr
    assert "Start the sandbox" in done.stderr


def test_markdown_is_the_runs_log(shell: Shell) -> None:
    done = shell.invoke("release.verify", "--format", "markdown", "--only", QUICK)
    shown = shell.invoke("runs.show", "latest")

    assert "\n# " in done.stdout
    assert done.stdout == shown.stdout


def test_a_section_may_be_named_by_its_beginning(shop: Shop) -> None:
    _, checks, report = shop.checks("--section", "perf")

    assert {check["section"] for check in checks.values()} == {"Performance"}
    assert report["partial"] is True


def test_only_takes_what_a_check_depends_on_along(shop: Shop) -> None:
    _, checks, _ = shop.checks("--only", "byok.delete, health.database")

    assert list(checks) == ["health.database", "byok.save", "byok.delete"]


@pytest.mark.parametrize("words", [["release.verify", "--plan"], ["--dry", "release.verify"]])
def test_a_plan_writes_nothing_at_all(words: list[str], shop: Shop) -> None:
    shop.shell.invoke("release.verify", "--env", shop.name, "--only", QUICK)
    before, users = tree(shop.project), shop.users()

    done = shop.shell.invoke(*words, "--env", shop.name)

    assert done.returncode == 0, done.stderr
    assert "the plan; nothing is changed" in done.stdout
    assert "/api/v1/auth/register: a user at checks.praviel.test" in done.stdout
    assert (tree(shop.project), shop.users()) == (before, users)


@pytest.mark.parametrize("words", [["release.verify"], ["release.deploy", "--ref", "v2"], ["rollback"]])
def test_a_plan_starts_no_sandbox(words: list[str], bare_shell: Shell) -> None:
    before = tree(bare_shell.project)

    done = bare_shell.invoke(*words, "--plan")

    assert done.returncode == 0, done.stderr
    assert f"Then: invoke {words[0]}." in done.stdout
    assert tree(bare_shell.project) == before


def test_the_variable_names_the_environment(shop: Shop) -> None:
    words = ("release.verify", "--only", QUICK)

    done = shop.shell.invoke(*words, environment={"RUNBOOKS_ENV": shop.name})

    assert "GO shop:" in done.stdout
    failed(shop.shell.invoke(*words, environment={"RUNBOOKS_ENV": "shopp"}), 2, "did you mean")
    failed(shop.shell.invoke(*words), 2, "add --env shop")


def test_exit_codes_tell_go_no_go_and_undecided(shop: Shop) -> None:
    assert shop.verify("--only", QUICK)[0] == 0
    assert shop.verify("--only", "migrations.run-on-deploy")[0] == 4, "no release is declared to compare with"

    shop.variables["ENVIRONMENT"] = "dev"
    shop.write()
    code, out, _ = shop.verify("--only", QUICK)
    assert code == 3
    assert "NO-GO shop: 1 failed" in out


def test_runs_are_listed_shown_and_audited(shop: Shop) -> None:
    shop.verify("--only", QUICK)

    listed = shop.shell.invoke("runs.list", "--env", shop.name)
    run = listed.stdout.splitlines()[1].split()[0]
    shown = shop.shell.invoke("runs.show", run[-4:])
    audited = shop.shell.invoke("runs.audit", "--env", shop.name)

    assert listed.stdout.splitlines()[1].split()[1:4] == ["shop", "done", "GO"]
    assert (shown.returncode, run in shown.stdout) == (0, True)
    assert (audited.returncode, audited.stdout) == (0, "1 run of shop is as it was written\n")


def test_what_is_built_is_listed_item_by_item(bare_shell: Shell) -> None:
    done = bare_shell.invoke("checklist.coverage")

    assert done.returncode == 0
    for item in BY_ID.values():
        state = "(built|not yet)"
        assert re.search(rf"^ +{item.number}  {state} +{re.escape(item.id)} ", done.stdout, re.MULTILINE)


def test_of_two_changing_runs_the_second_is_told_who_when_and_why(bare_shell: Shell) -> None:
    """The first one holds the lease while it waits; nothing is started."""
    script = (
        "from pathlib import Path\n"
        "from runbooks.engine import lease\n"
        "from runbooks.systems.store.folder import FolderStore\n"
        f"store = FolderStore(Path({str(bare_shell.project)!r}, 'var/store/local'))\n"
        "lease.acquire(store, run='a-run', reason='moving house')\n"
        "print('held', flush=True)\n"
        "input()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=bare_shell.environment({"RUNBOOKS_OPERATOR": "dana@desk"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"

        second = bare_shell.invoke("sandbox.down")
        shown = bare_shell.invoke("lease.show")
        broken = bare_shell.invoke("lease.break", "--reason", "she is at lunch")
    finally:
        holder.communicate("\n")

    failed(second, 5, "another run is changing this environment")
    assert re.search(r"dana@desk since \d{4}-\d\d-\d\dT.*: moving house", second.stderr)
    assert "lease.break" in second.stderr
    assert not (bare_shell.project / "var" / "runs").exists()
    assert "held by dana@desk" in shown.stdout
    assert (broken.returncode, "taken from dana@desk" in broken.stdout) == (0, True)
    assert "nobody is changing local" in bare_shell.invoke("lease.show").stdout


def test_the_faults_are_listed_broken_and_mended_by_name(shell: Shell, sandbox: Sandbox) -> None:
    listed = shell.invoke("sandbox.faults")
    assert "redis-no-password" in listed.stdout
    try:
        broken = shell.invoke("sandbox.break", "redis-no-password")
        verified = shell.invoke("release.verify", "--only", "redis.password")
    finally:
        mended = shell.invoke("sandbox.mend")

    assert broken.returncode == mended.returncode == 0
    assert (verified.returncode, "NO-GO local (sandbox)" in verified.stdout) == (3, True)
    wait_for(lambda: not sandbox.faults(), "the fault to be forgotten")


@pytest.mark.parametrize(
    "words", [["sandbox.break", "dev-cors-on"], ["sandbox.mend"], ["lease.break", "--reason", "x"]]
)
def test_a_change_without_a_plan_is_refused_in_a_dry_run(words: list[str], bare_shell: Shell) -> None:
    done = bare_shell.invoke("--dry", *words)

    assert done.returncode == 2
    assert "no plan" in done.stderr


def test_checks_are_selected_by_number_too(shop: Shop) -> None:
    planned = shop.shell.invoke("release.verify", "--env", "shop", "--plan", "--only", "49").stdout

    assert "Performance: health.database" in planned


def test_an_empty_selection_is_refused(shop: Shop) -> None:
    done = shop.shell.invoke("release.verify", "--env", "shop", "--only", "")

    assert done.returncode == 2
    assert "names no check" in done.stderr
