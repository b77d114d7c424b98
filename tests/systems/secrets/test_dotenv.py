"""A dotenv file is read only if it is private, and never shown."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.engine.errors import InputError
from runbooks.systems.secrets.dotenv import DotenvSource, parse, refuse_unless_private

PROJECT = Path(__file__).parents[3]
NOBODY = 65534


def private_file(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    file = folder / "variables.env"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(mode)
    return file


def refusal(file: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        DotenvSource(file).load()
    assert "hunter2" not in str(caught.value)
    return caught.value


def test_values_are_read_as_they_stand(tmp_path: Path) -> None:
    text = "# comment\nexport A=1\nB='x y'\n\nC=a$A${B}\nD=\"line\\nbreak\"\nE=\nA=2\n"
    values = DotenvSource(private_file(tmp_path, text)).load()
    plain = {name: secret.reveal() for name, secret in values.items()}
    assert plain == {"A": "2", "B": "x y", "C": "a$A${B}", "D": "line\nbreak", "E": ""}
    assert "A" not in os.environ
    assert "x y" not in repr(values)


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = private_file(tmp_path, "A=1\n")
    source = DotenvSource(file)
    first = source.load()
    file.unlink()
    assert source.load() is first


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = private_file(tmp_path, "A=hunter2\n", mode)
    error = refusal(file)
    assert error.found == f"mode {mode:04o}, wanted 0600"
    assert error.mend == f"chmod 600 {file}"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_is_read(tmp_path: Path, mode: int) -> None:
    assert DotenvSource(private_file(tmp_path, "A=1\n", mode)).load()["A"].reveal() == "1"


def test_of_a_link_the_target_is_judged(tmp_path: Path) -> None:
    link = tmp_path / "link.env"
    link.symlink_to(private_file(tmp_path, "A=1\n"))
    assert DotenvSource(link).load()["A"].reveal() == "1"
    private_file(tmp_path, "A=hunter2\n", 0o644)
    assert "0644" in refusal(link).found


def status(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, owner, owner, 1, 0, 0, 0))


def test_a_file_of_another_user_is_refused_except_to_root() -> None:
    private = status(stat.S_IFREG | 0o600, 1000)
    refuse_unless_private(Path("v.env"), private, 1000)
    refuse_unless_private(Path("v.env"), private, 0)
    with pytest.raises(InputError, match="belongs to another user") as caught:
        refuse_unless_private(Path("v.env"), private, 1001)
    assert "user id 1000" in caught.value.found


def test_root_too_is_refused_a_file_that_is_open_to_others() -> None:
    with pytest.raises(InputError, match="open to other users"):
        refuse_unless_private(Path("v.env"), status(stat.S_IFREG | 0o644, 1000), 0)


def test_a_file_that_may_not_be_opened_is_refused(tmp_path: Path) -> None:
    """In a process without root's rights, whoever runs the tests."""
    file = private_file(tmp_path, "A=hunter2\n", 0o000)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from runbooks.engine.errors import InputError\n"
        "from runbooks.systems.secrets.dotenv import DotenvSource\n"
        f"if os.geteuid() == 0: os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "try: DotenvSource(Path(sys.argv[1])).load()\n"
        "except InputError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT, timeout=60)
    assert "can't be opened" in result.stdout
    assert "Permission denied" in result.stdout
    assert "hunter2" not in result.stdout


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    assert "install -m 600 /dev/null" in refusal(tmp_path / "variables.env").mend
    with pytest.raises(InputError) as caught:
        DotenvSource(tmp_path / "variables.env", "invoke sandbox.up").load()
    assert caught.value.mend == "invoke sandbox.up"


def test_a_folder_or_a_pipe_is_not_a_secrets_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert refusal(tmp_path).found == "a directory"
    assert refusal(pipe).found == "a pipe"


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refusal(private_file(tmp_path, b"A=1\nB=hunter2\xff\n"))
    assert error.where.endswith("variables.env:2")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nhunter2\n", 2),
        ("A=1\n\n\nhunter2 more words\n", 4),
        ("A=1\n=hunter2\n", 2),
        ("# c\nA='hunter2\nB=1\n", 2),
        ('A="x\ny"\nB hunter2=1\n', 3),
    ],
)
def test_a_line_that_does_not_parse_is_named_and_not_shown(tmp_path: Path, text: str, line: int) -> None:
    assert refusal(private_file(tmp_path, text)).where.endswith(f"variables.env:{line}")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        values = parse(text, "file")
    except InputError as error:
        assert error.where.startswith("file:")
    else:
        assert all(secret.name == name for name, secret in values.items())
