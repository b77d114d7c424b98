"""Where the sandbox keeps everything: one folder, every path in it named here.

PostgreSQL refuses to run as root, so when we are root it runs as `SERVICE_USER`, who must be able to walk to its
files. A checkout that this user can't enter (below ``/root``, say) keeps its state in `STATE_FOLDER` instead, and
``var/sandbox`` is a symlink there. The symlink is the record of that decision: it is made once.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.errors import InputError

SERVICE_USER = "nobody"
STATE_FOLDER = Path("/var/lib/praviel-runbooks")


@dataclass(frozen=True)
class Layout:
    """The paths of one sandbox. ``root`` is a real path, without symlinks."""

    root: Path

    @property
    def state(self) -> Path:
        """What must be remembered over restarts, such as ports (JSON)."""
        return self.root / "state.json"

    @property
    def postgres(self) -> Path:
        return self.root / "servers" / "postgres"

    @property
    def postgres_installs(self) -> Path:
        """One folder for each version of the wheel that was ever used."""
        return self.postgres / "install"

    @property
    def postgres_data(self) -> Path:
        return self.postgres / "data"

    @property
    def postgres_password(self) -> Path:
        """The superuser's password, for the owner of the sandbox only."""
        return self.postgres / "superuser-password"

    @property
    def valkey(self) -> Path:
        return self.root / "servers" / "valkey"

    @property
    def valkey_data(self) -> Path:
        return self.valkey / "data"

    @property
    def valkey_configuration(self) -> Path:
        return self.valkey / "valkey.conf"

    @property
    def valkey_users(self) -> Path:
        return self.valkey_data / "users.acl"  # the server writes it, so it lies in its own folder

    @property
    def valkey_password(self) -> Path:
        return self.valkey / "password"

    @property
    def object_store(self) -> Path:
        return self.root / "servers" / "object-store"

    @property
    def authority(self) -> Path:
        """The sandbox's own certificate authority: its key, and the certificate that clients trust."""
        return self.root / "authority"

    @property
    def authority_certificate(self) -> Path:
        """What the inventory names as ``application.ca_file`` (PEM)."""
        return self.authority / "ca.pem"

    @property
    def proxy(self) -> Path:
        return self.root / "servers" / "proxy"

    @property
    def proxy_configuration(self) -> Path:
        return self.proxy / "caddy.json"

    @property
    def frontend(self) -> Path:
        """The public site's files."""
        return self.proxy / "frontend"

    @property
    def dns(self) -> Path:
        return self.root / "servers" / "dns"

    @property
    def zone(self) -> Path:
        """Every DNS record of the sandbox, in the format of a zone's master file."""
        return self.dns / "zone"

    @property
    def supervisor(self) -> Path:
        return self.root / "supervisor"

    @property
    def supervisor_configuration(self) -> Path:
        return self.supervisor / "supervisord.conf"

    @property
    def supervisor_client(self) -> Path:
        """The user and password of the process manager's interface (JSON)."""
        return self.supervisor / "client.json"

    @property
    def supervisor_pid(self) -> Path:
        return self.supervisor / "supervisord.pid"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisord.log"

    @property
    def supervisor_lock(self) -> Path:
        return self.supervisor / "lock"

    @property
    def programs(self) -> Path:
        """What each program is started with, its environment included, one file each."""
        return self.supervisor / "programs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, program: str) -> Path:
        """Both output streams of a program, as the process manager wrote them down."""
        return self.logs / f"{program}.log"

    @property
    def environments(self) -> Path:
        return self.root / "environments"

    def environment(self, name: str) -> Path:
        return self.environments / name

    def variables(self, name: str) -> Path:
        """The variables that the environment's application is started with."""
        return self.environment(name) / "variables.env"

    def operator_variables(self, name: str) -> Path:
        """The credentials that an operator of the environment holds."""
        return self.environment(name) / "operator.env"

    def people(self, name: str) -> Path:
        """What the environment's people wrote down."""
        return self.environment(name) / "people"

    def host(self, name: str) -> Path:
        """The environment's host: its releases and slots, as on any machine that is deployed to."""
        return self.environment(name) / "host"

    def slot(self, name: str, slot: str) -> Path:
        """One of the two places in which a release can run."""
        return self.host(name) / "slots" / slot

    def active(self, name: str) -> Path:
        """A symlink to the slot that the environment's requests go to; replacing it switches them."""
        return self.host(name) / "active"

    def release(self, name: str) -> Path:
        """A symlink to the folder in `releases` that the environment runs."""
        return self.active(name) / "release"

    def releases(self, name: str) -> Path:
        """One folder for each release that was deployed to the environment."""
        return self.host(name) / "releases"

    def builds(self, name: str) -> Path:
        """The records of the environment's builds, one JSON object a line."""
        return self.environment(name) / "builds.jsonl"

    def build_log(self, name: str) -> Path:
        """What the environment's latest build printed."""
        return self.environment(name) / "build.log"

    @property
    def repository(self) -> Path:
        return self.root / "repository"

    @property
    def provider(self) -> Path:
        return self.root / "provider"


def prepare(
    project: Path,
    *,
    state_folder: Path = STATE_FOLDER,
    user: str = SERVICE_USER,
    superuser: bool | None = None,
) -> Layout:
    """The layout of the checkout's sandbox, its folders made. Safe to repeat, also after a kill at any point.

    Args:
        project: The checkout's root.
        state_folder: Where the state goes if ``user`` can't reach the checkout.
        user: Whom PostgreSQL runs as when we are root.
        superuser: Whether we are root; asked of the system when None.

    Raises:
        InputError: ``var/sandbox`` belongs to somebody else, or can't be used by root's service user.
    """
    if superuser is None:
        superuser = os.geteuid() == 0
    place = project.resolve() / "var" / "sandbox"
    place.parent.mkdir(exist_ok=True)
    if superuser and not place.is_symlink() and not can_enter(place.parent, user):
        _link(place, _state_of(project, state_folder))
    if not place.is_symlink():
        place.mkdir(exist_ok=True)
    root = Path(os.path.realpath(place))
    _folder(root.parent if place.is_symlink() else root, 0o755)
    _folder(root, 0o755)
    if root.stat().st_uid != os.geteuid():
        owner = _user_name(root.stat().st_uid)
        raise InputError(
            "the sandbox belongs to another user",
            where=str(place),
            found=f"owned by {owner}",
            mend=f"run as {owner}, or stop it as {owner} and remove {place}",
        )
    layout = Layout(root)
    for folder in (layout.postgres, layout.postgres_installs):
        _folder(folder, 0o755)
    for folder in (layout.supervisor, layout.programs, layout.logs, layout.environments):
        _folder(folder, 0o700)
    return layout


def locate(project: Path, *, state_folder: Path = STATE_FOLDER, user: str = SERVICE_USER) -> Layout:
    """The layout that `prepare` would return for a checkout that has no sandbox yet; nothing is made."""
    place = project.resolve() / "var" / "sandbox"
    if os.geteuid() == 0 and not can_enter(next(path for path in place.parents if path.exists()), user):
        return Layout(_state_of(project, state_folder))
    return Layout(place)


def _state_of(project: Path, state_folder: Path) -> Path:
    return state_folder / hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:12]


def can_enter(folder: Path, user: str) -> bool:
    """Whether the permission bits on the way down let the user walk into the folder."""
    account = pwd.getpwnam(user)
    return all(_may_search(step.stat(), account) for step in (folder, *folder.parents))


def _may_search(status: os.stat_result, account: pwd.struct_passwd) -> bool:
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _link(place: Path, target: Path) -> None:
    if place.is_dir():
        try:
            place.rmdir()
        except OSError as error:
            raise InputError(
                f"root can't run the sandbox where it is: {SERVICE_USER} can't enter the checkout",
                where=str(place),
                found="a sandbox that was made without being root",
                mend=f"stop it as its owner and remove {place}; root then keeps it in {target.parent}",
            ) from error
    _folder(target.parent, 0o755)
    _folder(target, 0o755)
    place.symlink_to(target, target_is_directory=True)


def _folder(path: Path, mode: int) -> None:
    """Make the folder; its mode is set apart from mkdir's, which the umask narrows."""
    path.mkdir(parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != mode and path.stat().st_uid == os.geteuid():
        path.chmod(mode)


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
