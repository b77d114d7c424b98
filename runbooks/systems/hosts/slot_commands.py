"""The commands by which releases are put on a host: pure lists of arguments for a POSIX shell and GNU coreutils.

    ROOT/releases/ID/          a commit's tree, its virtual environment; whole once it holds .release.json
    ROOT/slots/blue, green/    address (ADDRESS:PORT, for ever), release (a symlink), variables and command (owner
                               only), placed (what lies there; written last)
    ROOT/active                a symlink to a slot. The proxy dials {file.ROOT/active/address}: renaming one symlink
                               moves the requests, and says which release and variables are the present ones
    ROOT/start                 starts what lies in a slot: ``sh ROOT/start blue``
    ROOT/proxy                 where the proxy listens, ADDRESS:PORT; optional
    ROOT/fence                 the newest fencing token
    ROOT/logs/                 what builds printed

What changes something runs under one lock, in which the fencing token is compared first: a holder that woke up late
can't slip in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from runbooks.systems.hosts.commands import Argv

BUSY, FENCED, MISSING, OTHER = 76, 77, 78, 79
"""Exit statuses: the lock is held for too long; a newer token was seen; what is needed is not there; it is another."""

LOCK_SECONDS = 30

MARKER = ".release.json"

START = """#!/bin/sh
# Starts what lies in a slot, in its own process: sh start SLOT. Written by the deploy.
set -eu
slot=$(dirname "$(readlink -f "$0")")/slots/$1
release=$(readlink -f "$slot/release")
. "$slot/variables"
address=$(cat "$slot/address")
HOST=${address%:*} PORT=${address##*:} PATH=$release/.venv/bin:$PATH VIRTUAL_ENV=$release/.venv
export HOST PORT PATH VIRTUAL_ENV
cd "$release"
. "$slot/command"
"""

_FENCED = f"""set -eu
root=$1 token=$2
shift 2
cd "$root"
exec 9>.lock
flock -w {LOCK_SECONDS} 9 || exit {BUSY}
seen=$(cat fence 2>/dev/null || echo 0)
if [ "$token" -lt "$seen" ]; then echo "$seen" >&2; exit {FENCED}; fi
if [ "$token" -gt "$seen" ]; then echo "$token" >.fence.new; sync .fence.new; mv -f .fence.new fence; sync .; fi
"""

_OBSERVE = f"""set -eu
cd "$1"
echo "active $(readlink active || true)"
echo "token $(cat fence 2>/dev/null || echo 0)"
echo "free $(df --output=avail --block-size=1 . | tail -n 1)"
echo "proxy $(cat proxy 2>/dev/null || true)"
for slot in blue green; do
  echo "address $slot $(cat "slots/$slot/address" 2>/dev/null || true)"
  echo "placed $slot $(cat "slots/$slot/placed" 2>/dev/null || true)"
done
for file in releases/*/{MARKER}; do
  if [ -f "$file" ]; then echo "release $(cat "$file")"; fi
done
"""

_BEGIN = f"""mkdir -p releases logs
if [ -f "releases/$1/{MARKER}" ]; then cat "releases/$1/{MARKER}"; exit 0; fi
rm -rf "releases/$1"
mkdir "releases/$1"
"""

_DISCARD = f"""[ -f "releases/$1/{MARKER}" ] || rm -rf "releases/$1"
"""

_FINISH = f"""sync -f "releases/$1"
printf '%s\\n' "$2" >"releases/$1/.release.new"
sync "releases/$1/.release.new"
mv -f "releases/$1/.release.new" "releases/$1/{MARKER}"
sync "releases/$1" releases
"""

_RECORD = """new=$1.new
{ tail -n 19 "$1" 2>/dev/null || true; printf '%s\\n' "$2"; } >"$new"
mv -f "$new" "$1"
"""

_PLACE = f"""[ -f "releases/$2/{MARKER}" ] || exit {MISSING}
slot=slots/$1
umask 077
if [ "$(cat start 2>/dev/null)" != "$5" ]; then
  printf '%s\\n' "$5" >.start.new
  sync .start.new
  mv -f .start.new start
fi
rm -f "$slot/placed"
cat >"$slot/.variables.new"
printf '%s\\n' "$4" >"$slot/.command.new"
printf '%s\\n' "$3" >"$slot/.placed.new"
sync "$slot/.variables.new" "$slot/.command.new" "$slot/.placed.new"
mv -f "$slot/.variables.new" "$slot/variables"
mv -f "$slot/.command.new" "$slot/command"
ln -sfn "../../releases/$2" "$slot/.release.new"
mv -fT "$slot/.release.new" "$slot/release"
sync "$slot"
mv -f "$slot/.placed.new" "$slot/placed"
sync "$slot"
"""

_SWITCH = f"""[ -f "slots/$1/placed" ] || exit {MISSING}
ln -sfn "slots/$1" .active.new
mv -fT .active.new active
sync .
"""

_REMOVE = f"""for id in "$@"; do
  for slot in blue green; do
    [ "$(readlink "slots/$slot/release" 2>/dev/null || true)" != "../../releases/$id" ] || exit {OTHER}
  done
  rm -f "releases/$id/{MARKER}"
  rm -rf "releases/$id" "logs/build-$id.log"
done
"""

_LEFTOVERS = f"""cd "$1/releases" 2>/dev/null || exit 0
for folder in *; do
  if [ -d "$folder" ] && [ ! -f "$folder/{MARKER}" ]; then echo "$folder"; fi
done
"""

_BUILD = """cd "$1"
python=$2 install=$3 command=$4
exec >"$5" 2>&1
PATH=$1/.venv/bin:$PATH VIRTUAL_ENV=$1/.venv
export PATH VIRTUAL_ENV
set -x
if [ -n "$install" ]; then
  "$install"
elif [ -f requirements.txt ]; then
  "$python" -m venv .venv
  python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
else
  "$python" -m venv .venv
  python -m pip install --disable-pip-version-check --quiet .
fi
set +x
if [ -n "$command" ]; then eval "$command"; fi
"""

_TIED = """vars=
while IFS= read -r line; do
  [ "$line" != "$1" ] || break
  vars="$vars$line
"
done
shift
eval "$vars"
exec 3<&0
setsid "$@" </dev/null 3<&- &
child=$!
(cat <&3; kill -TERM "-$child"; sleep 5; kill -KILL "-$child") >/dev/null 2>&1 &
watcher=$!
exec 3<&-
status=0
wait "$child" || status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"""


def observe(root: str) -> Argv:
    """What `slot_files.parse` reads."""
    return _sh(_OBSERVE, root)


def variables(path: str) -> Argv:
    """A slot's variables; nothing where none were put there."""
    return _sh('[ ! -e "$1" ] || cat -- "$1"', path)


def claim(root: str, token: int) -> Argv:
    """Only the comparison of tokens."""
    return fenced("", root, token)


def begin(root: str, token: int, release: str) -> Argv:
    """An empty folder for a release; or its marker, if it is whole."""
    return fenced(_BEGIN, root, token, release)


def unpack(folder: str) -> Argv:
    """A compressed tar stream from standard input into a folder."""
    script = 'umask 022; cd "$1" && exec tar --extract --gzip --no-same-owner --no-same-permissions'
    return _sh(script, folder)


def build(folder: str, log: str, python: str, install: str, command: str) -> Argv:
    """A virtual environment in the release's folder and what its build command makes; prints into the log.

    Args:
        python: The interpreter that the environment is made of.
        install: A program that makes ``.venv``; empty: ``venv`` and pip do.
        command: The release's own build command, for a shell; may be empty.
    """
    return ("sh", "-euc", _BUILD, "sh", folder, python, install, command, log)


def tied(marker: str, argv: Sequence[str], folder: str) -> Argv:
    """A command that is ended when its standard input ends, on which its variables come first, up to the marker."""
    inside = 'cd "$1" && PATH=$1/.venv/bin:$PATH && export PATH && shift && exec "$@"'
    return _sh(_TIED, marker, "sh", "-c", inside, "sh", folder, *argv)


def discard(root: str, token: int, release: str) -> Argv:
    """Delete a release that is not whole; its log stays."""
    return fenced(_DISCARD, root, token, release)


def finish(root: str, token: int, release: str, marker: str) -> Argv:
    """Call a release whole, once all of it is on disk."""
    return fenced(_FINISH, root, token, release, marker)


def record(root: str, token: int, file: str, line: str) -> Argv:
    """Add a line to the build records, of which the latest are kept."""
    return fenced(_RECORD, root, token, file, line)


def place(root: str, token: int, slot: str, release: str, placed: str, command: str) -> Argv:
    """Put a release into a slot, with the variables that come on standard input."""
    return fenced(_PLACE, root, token, slot, release, placed, command, START.rstrip("\n"))


def switch(root: str, token: int, slot: str) -> Argv:
    """Have the slot be the active one."""
    return fenced(_SWITCH, root, token, slot)


def remove(root: str, token: int, releases: Sequence[str]) -> Argv:
    """Delete releases, unless one lies in a slot."""
    return fenced(_REMOVE, root, token, *releases)


def leftovers(root: str) -> Argv:
    """The folders of releases that are not whole."""
    return _sh(_LEFTOVERS, root)


def fenced(script: str, root: str, token: int, *arguments: str) -> Argv:
    """A script that runs under the lock, and only if no newer token was seen."""
    return _sh(_FENCED + script, root, str(token), *arguments)


def _sh(script: str, *arguments: str) -> Argv:
    return ("sh", "-c", script, "sh", *arguments)
