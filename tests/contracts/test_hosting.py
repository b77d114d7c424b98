"""One suite over both ways to a host: releases are built, placed, started, switched and removed there."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from runbooks.engine.errors import InputError, LeaseLost, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.systems.hosts import builds
from runbooks.systems.hosts.access import Access, Here
from runbooks.systems.hosts.fleet import Fleet
from runbooks.systems.platform.hosting import Hosting, Placement, Release, Slot
from tests import sshd
from tests.hosts import VARIABLES, Bed, bed


@pytest.fixture(scope="module")
def over_ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as daemon, sshd.opened(daemon) as ssh:
        yield ssh


@pytest.fixture(params=["here", "ssh"])
def access(request: pytest.FixtureRequest) -> Access:
    return Here() if request.param == "here" else request.getfixturevalue("over_ssh")


@pytest.fixture(scope="module")
def one_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with bed(tmp_path_factory.mktemp("bed")) as made:
        yield made


@pytest.fixture
def there(one_bed: Bed) -> Bed:
    one_bed.clear()
    return one_bed


@pytest.fixture
def fleet(there: Bed, access: Access) -> Fleet:
    return there.fleet(access)


def quiet(_: str) -> None:
    pass


def host_of(fleet: Hosting) -> str:
    return fleet.hosts[0]


def answer(fleet: Hosting, slot: Slot) -> dict[str, str]:
    with fleet.reach(host_of(fleet), slot) as url:
        found: dict[str, str] = httpx.get(url).json()
        return found


# --- a deploy


def test_two_releases_run_side_by_side_and_one_rename_moves_the_requests(there: Bed, fleet: Fleet) -> None:
    host, change = host_of(fleet), fleet.changes(1)
    one, two = there.release("one"), there.release("two")

    assert there.deploy(fleet, one) is Slot.BLUE
    state = fleet.observe(host)
    assert (state.active, state.idle, state.token) == (Slot.BLUE, Slot.GREEN, 1)
    assert state.serving == Placement(one, "run")
    assert state.slots[Slot.BLUE].running
    assert not state.slots[Slot.GREEN].running

    assert there.deploy(fleet, two) is Slot.GREEN
    state = fleet.observe(host)
    assert state.serving == Placement(two, "run")
    assert state.slots[Slot.BLUE].running
    assert [release.id for release in state.releases] == ["one", "two"]
    assert answer(fleet, Slot.BLUE)["commit"] == "one"
    found = answer(fleet, Slot.GREEN)
    assert found["commit"] == "two"
    assert found["colour"] == VARIABLES["COLOUR"].reveal()
    assert found["prefix"] == str(there.root / "releases" / "two" / ".venv")
    assert found["cwd"] == str(there.root / "releases" / "two")

    assert (there.root / "active" / "address").read_text().strip() == there.address(Slot.GREEN)
    change.stop(host, Slot.BLUE)
    assert not fleet.observe(host).slots[Slot.BLUE].stays
    change.switch(host, Slot.GREEN)  # again: nothing happens


def test_everything_may_be_repeated(there: Bed, fleet: Fleet) -> None:
    host, change, release = host_of(fleet), fleet.changes(1), there.release("one")
    there.deploy(fleet, release)
    before = fleet.observe(host)

    assert change.build(host, release, say=quiet).seconds == 0
    change.place(host, Slot.BLUE, Placement(release, "run"), VARIABLES)
    change.start(host, Slot.BLUE)
    change.switch(host, Slot.BLUE)
    change.stop(host, Slot.GREEN)

    after = fleet.observe(host)
    assert (after.slots, after.releases, after.active) == (before.slots, before.releases, before.active)


def test_secrets_are_in_owner_only_files_and_in_no_process_list(there: Bed, fleet: Fleet) -> None:
    host, change, release = host_of(fleet), fleet.changes(1), there.release("one")
    hidden = {"TOKEN": Secret("TOKEN", "hide-me-1234567890")}
    change.build(host, release, say=quiet)
    change.place(host, Slot.BLUE, Placement(release, "run"), hidden)
    look = """
        import contextlib, glob, os, pathlib
        lists = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has just ended
                lists.append(pathlib.Path(path).read_text(errors="replace"))
        print(len(lists) > 1, [text for text in lists if os.environ["TOKEN"] in text])
    """
    seen = change.run_in_release(host, release, ["python", "-c", textwrap.dedent(look)], hidden)
    change.start(host, Slot.BLUE)

    assert seen == "True []\n"
    holders = [p for p in there.root.rglob("*") if p.is_file() and b"hide-me-1234567890" in p.read_bytes()]
    assert {str(p.relative_to(there.root)) for p in holders} == {"slots/blue/variables"}
    assert [stat.S_IMODE(p.stat().st_mode) for p in holders] == [0o600]


def test_what_lies_in_a_slot_and_what_its_process_was_started_with_are_told(there: Bed, fleet: Fleet) -> None:
    host, change, release = host_of(fleet), fleet.changes(1), there.release("one")
    odd = {**VARIABLES, "LINES": Secret("LINES", "a\nexport COLOUR='red'\n'b"), "EMPTY": Secret("EMPTY", "")}
    assert fleet.variables(host, Slot.BLUE) == {}
    change.build(host, release, say=quiet)
    change.place(host, Slot.BLUE, Placement(release, "run"), odd)
    assert fleet.variables(host, Slot.BLUE) == odd
    assert fleet.started_with(host, Slot.BLUE) == {}

    change.start(host, Slot.BLUE)

    given = fleet.started_with(host, Slot.BLUE)
    assert {name: given[name] for name in odd} == odd
    (there.root / "slots" / "blue" / "variables").write_text("export COLOUR=red\n")
    assert fleet.variables(host, Slot.BLUE) == {"COLOUR": Secret("COLOUR", "red")}
    assert fleet.started_with(host, Slot.BLUE) == given
    for torn in ("export COLOUR='red", "COLOUR=red\n", "export COLOUR=red export"):
        (there.root / "slots" / "blue" / "variables").write_text(torn)
        with pytest.raises(SystemFault, match="not as a deploy writes them"):
            fleet.variables(host, Slot.BLUE)


# --- builds


def test_a_virtual_environment_holds_what_the_release_requires(there: Bed, access: Access) -> None:
    fleet = there.fleet(access, install="")
    name, body = wheel()
    (there.root.parent / name).write_bytes(body)
    files = {"requirements.txt": f"--no-index\n{there.root.parent / name}\n"}
    release = Release("one", there.repository.commit("one", **files))

    fleet.changes(1).build(host_of(fleet), release, say=quiet)
    said = fleet.changes(1).run_in_release(host_of(fleet), release, ["tiny-tool"], {})

    assert said.strip() == f"tiny in {there.root}/releases/one/.venv"


def wheel() -> tuple[str, bytes]:
    """A wheel with one console script, made here: nothing is fetched."""
    body, info = io.BytesIO(), "tiny-1.0.dist-info"
    files = {
        "tiny.py": "import sys\ndef main():\n    print('tiny in', sys.prefix)\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny-tool = tiny:main\n",
    }
    with zipfile.ZipFile(body, "w") as file:
        rows = []
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            rows.append(f"{path},sha256={digest},{len(text)}")
            file.writestr(path, text)
        file.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return "tiny-1.0-py3-none-any.whl", body.getvalue()


def test_a_build_that_fails_says_why_is_recorded_and_can_be_tried_again(there: Bed, fleet: Fleet) -> None:
    railway = json.dumps({"build": {"buildCommand": "echo compiling; test -e ../../mended"}})
    release = there.release("one", railway=railway)
    change, host = fleet.changes(1), host_of(fleet)

    with pytest.raises(SystemFault, match="the build failed") as caught:
        change.build(host, release, say=quiet)
    assert "compiling" in caught.value.found
    assert fleet.observe(host).releases == ()

    (there.root / "mended").touch()
    change.build(host, release, say=quiet)
    assert fleet.observe(host).releases == (release,)
    records = builds.parse((there.root / "builds.jsonl").read_text(), "builds.jsonl")
    assert [(each.release, each.succeeded) for each in records] == [(release.commit, False), (release.commit, True)]


def test_a_build_that_takes_too_long_is_ended_with_all_that_it_started(there: Bed, fleet: Fleet) -> None:
    railway = json.dumps({"build": {"buildCommand": "sleep 613 & sleep 613"}})

    with pytest.raises(SystemFault) as caught:
        fleet.changes(1).build(host_of(fleet), there.release("one", railway=railway), seconds=2, say=quiet)

    assert caught.value.reason is Reason.TIMED_OUT
    until(lambda: not running("sleep", "613"), seconds=15, what="it is still there")


def running(*words: str) -> list[int]:
    return [each.pid for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == list(words)]


def test_a_commit_that_is_not_there_is_said_before_anything_is_sent(there: Bed, fleet: Fleet) -> None:
    with pytest.raises(InputError, match="no such commit"):
        fleet.changes(1).build(host_of(fleet), Release("one", "0" * 40), say=quiet)

    assert fleet.observe(host_of(fleet)).releases == ()


def test_an_id_is_never_given_to_another_commit(there: Bed, fleet: Fleet) -> None:
    change, host, one = fleet.changes(1), host_of(fleet), there.release("one")
    change.build(host, one, say=quiet)

    with pytest.raises(SystemFault, match="another commit"):
        change.build(host, Release("one", there.release("two").commit), say=quiet)
    for bad in ("../x", "A", "", "a/b", ".x"):
        with pytest.raises(InputError, match="folder's name"):
            change.build(host, Release(bad, one.commit), say=quiet)


def test_half_a_build_is_cleared_away(there: Bed, fleet: Fleet) -> None:
    half = there.root / "releases" / "one"
    half.mkdir(parents=True)
    (half / "left").touch()
    release = there.release("one")
    assert fleet.observe(host_of(fleet)).releases == ()

    fleet.changes(1).build(host_of(fleet), release, say=quiet)

    assert not (half / "left").exists()
    assert fleet.observe(host_of(fleet)).releases == (release,)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of this size under a folder."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False)
    if made.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_is_told_and_the_release_that_serves_is_left_alone(there: Bed, fleet: Fleet) -> None:
    change, host = fleet.changes(1), host_of(fleet)
    there.deploy(fleet, there.release("one"))
    big = there.release("two", **{"big.txt": os.urandom(3_000_000).hex()})
    kept = there.root / "kept"
    (there.root / "releases").rename(kept)

    with small_disk(there.root / "releases", "1m"), pytest.raises(SystemFault) as caught:
        change.build(host, big, say=quiet)
    (there.root / "releases").rmdir()  # it is empty: what did not fit was cleared away
    kept.rename(there.root / "releases")

    assert "No space left on device" in caught.value.found
    assert "platform.hosts.keep" in caught.value.mend
    assert answer(fleet, Slot.BLUE)["commit"] == "one"
    change.build(host, big, say=quiet)
    assert [release.id for release in fleet.observe(host).releases] == ["one", "two"]


def test_what_a_connection_that_is_cut_had_brought_is_cleared_away_and_sent_again(there: Bed, tmp_path: Path) -> None:
    release = there.release("one", **{"big.txt": os.urandom(8_000_000).hex()})
    with sshd.running(tmp_path) as daemon, sshd.opened(daemon) as ssh:
        fleet = there.fleet(ssh)
        host = fleet.members[ssh.name]
        whole = host.recipe.source

        def cut(commit: str) -> Iterator[bytes]:
            for number, piece in enumerate(whole(commit)):
                if number == 2:
                    daemon.cut()
                yield piece

        cutting = replace(host, recipe=replace(host.recipe, source=cut))
        with pytest.raises(SystemFault) as caught:
            Fleet({host.name: cutting}).changes(1).build(host.name, release, say=quiet)
        assert caught.value.reason is Reason.UNREACHABLE
        assert list((there.root / "releases").iterdir()) == []

        fleet.changes(1).build(host.name, release, say=quiet)
        assert fleet.observe(host.name).releases == (release,)


# --- what is refused


def test_a_late_holder_is_refused_by_the_host_with_nothing_done(there: Bed, fleet: Fleet) -> None:
    host, one = host_of(fleet), there.release("one")
    there.deploy(fleet, one, token=4)
    there.deploy(fleet, there.release("two"), token=4)
    fleet.changes(5).claim(host)
    late = fleet.changes(4)
    before = lies_and_runs(there, fleet)
    acts: list[Callable[[], object]] = [
        lambda: late.claim(host),
        lambda: late.build(host, there.release("three"), say=quiet),
        lambda: late.place(host, Slot.BLUE, Placement(one, "other"), {}),
        lambda: late.start(host, Slot.BLUE),
        lambda: late.stop(host, Slot.BLUE),
        lambda: late.switch(host, Slot.BLUE),
        lambda: late.run_in_release(host, one, ["true"], {}),
        lambda: late.remove_old(host, keep=0, needed=()),
    ]

    for act in acts:
        with pytest.raises(LeaseLost) as caught:
            act()
        assert caught.value.found == "fencing token 5"

    assert lies_and_runs(there, fleet) == before


def lies_and_runs(there: Bed, fleet: Fleet) -> tuple[object, ...]:
    state = fleet.observe(host_of(fleet))
    return (state.active, state.slots, state.releases, state.token, sorted(there.root.rglob("*")))


def test_the_active_slot_is_neither_stopped_nor_given_another_release(there: Bed, fleet: Fleet) -> None:
    host, change, one = host_of(fleet), fleet.changes(1), there.release("one")
    there.deploy(fleet, one)

    acts: list[Callable[[], object]] = [
        lambda: change.stop(host, Slot.BLUE),
        lambda: change.place(host, Slot.BLUE, Placement(one, "another run"), VARIABLES),
        lambda: change.switch(host, Slot.GREEN),
        lambda: change.start(host, Slot.GREEN),
    ]

    for act in acts:
        with pytest.raises(SystemFault) as caught:
            act()
        assert caught.value.reason is Reason.REFUSED
    assert answer(fleet, Slot.BLUE)["commit"] == "one"


def test_a_release_that_ends_by_itself_says_why_and_is_not_tried_for_ever(there: Bed, fleet: Fleet) -> None:
    host, change = host_of(fleet), fleet.changes(1)
    release = there.release("one", start="python -c \"raise SystemExit('no key is set')\"")
    change.build(host, release, say=quiet)
    change.place(host, Slot.BLUE, Placement(release, "run"), VARIABLES)

    with pytest.raises(SystemFault, match="has ended by itself") as caught:
        change.start(host, Slot.BLUE)

    assert "no key is set" in caught.value.found
    assert not fleet.observe(host).slots[Slot.BLUE].stays


def test_a_taken_port_is_refused_and_the_stranger_is_left_alone(there: Bed, fleet: Fleet) -> None:
    host, change, release = host_of(fleet), fleet.changes(1), there.release("one")
    change.build(host, release, say=quiet)
    change.place(host, Slot.BLUE, Placement(release, "run"), VARIABLES)
    name, _, port = there.address(Slot.BLUE).rpartition(":")

    with socket.create_server((name, int(port))), pytest.raises(SystemFault, match="somebody else") as caught:
        change.start(host, Slot.BLUE)

    assert caught.value.reason is Reason.REFUSED
    assert not fleet.observe(host).slots[Slot.BLUE].stays
    change.start(host, Slot.BLUE)


def test_nothing_is_switched_where_the_proxy_does_not_answer(there: Bed, fleet: Fleet) -> None:
    there.deploy(fleet, there.release("one"))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        (there.root / "proxy").write_text(f"127.0.0.1:{proxy.getsockname()[1]}\n")
        there.deploy(fleet, there.release("two"))

    with pytest.raises(SystemFault, match="the proxy does not answer") as caught:
        fleet.changes(1).switch(host_of(fleet), Slot.BLUE)

    assert caught.value.reason is Reason.UNREACHABLE
    assert fleet.observe(host_of(fleet)).active is Slot.GREEN


# --- programs of a release


def test_a_program_of_the_release_gets_the_variables_and_its_failure_is_told(there: Bed, fleet: Fleet) -> None:
    host, change, release = host_of(fleet), fleet.changes(1), there.release("one")
    change.build(host, release, say=quiet)
    script = "import os; print(os.environ['COLOUR'], open('name.txt').read())"

    said = change.run_in_release(host, release, ["python", "-c", script], VARIABLES)
    with pytest.raises(SystemFault, match="failed") as caught:
        change.run_in_release(host, release, ["sh", "-c", "echo can\\'t migrate >&2; exit 255"], VARIABLES)

    assert said == f"{VARIABLES['COLOUR'].reveal()} one\n"
    assert caught.value.found == "can't migrate"


@contextmanager
def operator(there: Bed, access: Access, code: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on the same host."""
    login = "None" if isinstance(access, Here) else repr(access.login).replace("PosixPath", "pathlib.Path")  # type: ignore[attr-defined]
    head = f"""
        import pathlib
        from runbooks.systems.hosts.access import Here
        from runbooks.systems.hosts.ssh import Login, Ssh
        from runbooks.systems.platform.hosting import Release
        from tests.hosts import Bed, Repository
        login = {login}
        bed = Bed(pathlib.Path({str(there.root)!r}), pathlib.Path({str(there.configuration)!r}), None)
        access = Here() if login is None else Ssh(login)
        repository = type("R", (), {{"folder": pathlib.Path({str(there.repository.folder)!r})}})()
        object.__setattr__(bed, "repository", repository)
        fleet = bed.fleet(access)
        host = fleet.hosts[0]
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_program_of_the_release_ends_with_the_operator_who_is_killed(
    there: Bed, fleet: Fleet, access: Access
) -> None:
    release = there.release("one")
    fleet.changes(1).build(host_of(fleet), release, say=quiet)
    code = f"fleet.changes(1).run_in_release(host, {release!r}, ['sleep', '617'], {{}}, seconds=600)"

    with operator(there, access, code) as process:
        until(lambda: running("sleep", "617"), seconds=20, what="it was not started")
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not running("sleep", "617"), seconds=15, what="it goes on")


# --- clearing away


def test_old_releases_go_but_never_one_in_a_slot_or_one_that_is_needed(there: Bed, fleet: Fleet) -> None:
    host, change = host_of(fleet), fleet.changes(1)
    made = [there.release(name) for name in ("a", "b", "c", "d", "e")]
    there.deploy(fleet, made[0])
    there.deploy(fleet, made[1])
    for release in made[2:]:
        change.build(host, release, say=quiet)
    (there.root / "releases" / "half").mkdir()

    gone = change.remove_old(host, keep=1, needed=["c"])

    assert gone == ("d", "half")
    assert [release.id for release in fleet.observe(host).releases] == ["a", "b", "c", "e"]
    assert change.remove_old(host, keep=9, needed=()) == ()


# --- what can't be looked at


def test_a_host_without_its_folder_says_what_to_look_at(there: Bed, access: Access) -> None:
    host = there.host(access)
    object.__setattr__(host, "root", "/nowhere")
    fleet = Fleet({host.name: host})

    with pytest.raises(SystemFault) as caught:
        fleet.observe(host.name)
    assert "platform.hosts.root" in caught.value.mend
    assert isinstance(fleet.observe_all()[host.name], SystemFault)
