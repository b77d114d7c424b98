"""A host over SSH: one connection, opened on first use, kept for the run, opened again when it was cut.

Fabric knows how to get there (``~/.ssh/config``, jump hosts); commands run on channels of its Paramiko transport.
Fabric's own ``run`` joins all output anew for each 1000 bytes and feeds standard input a byte each 10 ms, so it is not
used. What else is set otherwise than Fabric and Paramiko do by themselves, and what that was measured to cost, is said
where it is set.
"""

from __future__ import annotations

import contextlib
import logging
import select
import shlex
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.hosts import key_pair, tunnel
from runbooks.systems.hosts.access import Feeder, did_not_end, host_and_port, nothing_listens
from runbooks.systems.hosts.runner import Done

if TYPE_CHECKING:  # fabric takes a quarter of a second to load
    from fabric import Connection
    from paramiko import Channel, Transport

CONNECT_SECONDS = 10
CHANNELS = 8
"""Commands at once on one connection. sshd refuses more than ``MaxSessions 10``, and counts those still closing."""

CHUNK = 64 * 1024
KEEPALIVE_SECONDS = 15


@dataclass(frozen=True)
class Login:
    """How to get in.

    Attributes:
        target: ``[USER@]HOST[:PORT]``, or a name in ``~/.ssh/config``.
        known_hosts: The file that holds its host key; None: the user's and the system's. A key that is in none of them
            is refused, never learnt.
        key_file: The private key; None: those of the agent, and what ``~/.ssh/config`` says.
        key: The private key itself, in OpenSSH's form; it alone is tried then.
    """

    target: str
    known_hosts: Path | None = None
    key_file: Path | None = None
    key: Secret | None = None


@dataclass
class Ssh:
    """One host. May be used by several threads at once."""

    login: Login
    _connection: Connection | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)
    _room: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(CHANNELS))

    @property
    def name(self) -> str:
        """The host, as the inventory calls it."""
        return self.login.target

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Done:
        """See `Runner.run`."""
        return self.send(argv, (), seconds=seconds)

    def send(self, argv: Sequence[str], data: Iterable[bytes], *, seconds: float, hold: bool = False) -> Done:
        """See `Access.send`."""
        deadline = time.monotonic() + seconds
        with self._channel(argv, seconds) as channel:
            # `exec`: the login shell becomes the command, instead of waiting for it.
            channel.exec_command("exec " + shlex.join(argv))
            feeder = Feeder(cast("IO[bytes]", _Stdin(channel)), data, hold=hold)
            try:
                output, errors = _read(channel, deadline)
                ended = channel.status_event.wait(max(deadline - time.monotonic(), 0.1))
            except TimeoutError as error:
                raise did_not_end(argv, self.name, seconds) from error
            finally:
                if not channel.exit_status_ready():
                    channel.close()  # or the feeder would wait for it to read on
                feeder.end()
            feeder.raise_what_went_wrong()
            if not ended or channel.exit_status < 0:
                raise self._fault("the connection was cut", Reason.UNREACHABLE, f"{argv[0]} had not ended")
            return Done(channel.exit_status, output, errors.decode(errors="backslashreplace"))

    def connect(self, address: str, *, seconds: float = 10) -> socket.socket:
        """See `Access.connect`. What it gives is a channel, which has a socket's methods."""
        import paramiko

        transport = self._transport()
        try:
            channel = transport.open_channel("direct-tcpip", host_and_port(address), ("127.0.0.1", 0), timeout=seconds)
        except paramiko.ChannelException as error:
            if error.code == 1:
                mend = "allow it: AllowTcpForwarding yes, in the host's sshd_config"
                found = "the host forwards no connections"
                raise self._fault(f"{address} can't be reached", Reason.REFUSED, found, mend) from error
            raise nothing_listens(address, self.name, error.text) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise nothing_listens(address, self.name, str(error)) from error
        channel.settimeout(seconds)
        return cast("socket.socket", channel)

    def reach(self, address: str) -> AbstractContextManager[str]:
        """See `Access.reach`: a port of this machine's loopback, forwarded."""
        return tunnel.forwarded(lambda: self.connect(address))

    def close(self) -> None:
        """See `Access.close`."""
        with self._opening:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _channel(self, argv: Sequence[str], seconds: float) -> Iterator[Channel]:
        import paramiko

        if not self._room.acquire(timeout=seconds):
            raise self._fault(f"{argv[0]} could not be started", Reason.TIMED_OUT, f"{CHANNELS} commands run there")
        try:
            with contextlib.closing(self._transport().open_session(timeout=min(seconds, CONNECT_SECONDS))) as channel:
                yield channel
        except paramiko.SSHException as error:
            raise self._fault(f"{argv[0]} can't be started", Reason.UNREACHABLE, str(error)) from error
        except (OSError, EOFError) as error:
            raise self._fault(
                "the connection was cut", Reason.UNREACHABLE, str(error) or type(error).__name__
            ) from error
        finally:
            self._room.release()

    def _transport(self) -> Transport:
        with self._opening:
            if self._connection is None or not self._connection.is_connected:
                self._connection = self._open()
            transport = self._connection.transport
            assert transport is not None, "it is open"
            return transport

    def _open(self) -> Connection:
        import fabric
        import paramiko
        from paramiko.ssh_exception import NoValidConnectionsError

        # It logs what it also raises, and Python prints what is logged and nobody handles.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        try:
            connection = fabric.Connection(self.login.target, config=_configuration(), connect_timeout=CONNECT_SECONDS)
            self._trust(connection)
            connection.connect_kwargs = self._arguments(connection)
            connection.open()
        except paramiko.BadHostKeyException as error:
            found = "another host key than the known one"
            mend = "find out why it changed; only then replace it in known_hosts"
            raise self._fault("the host is not who it was", Reason.UNAUTHORISED, found, mend) from error
        except (paramiko.AuthenticationException, paramiko.PasswordRequiredException) as error:
            mend = "add the key to the agent (ssh-add), or declare platform.hosts.key_file"
            raise self._fault("the host does not let us in", Reason.UNAUTHORISED, str(error), mend) from error
        except paramiko.SSHException as error:
            raise self._not_opened(str(error)) from error
        except TimeoutError as error:
            raise self._fault("the host does not answer", Reason.TIMED_OUT, f"waited {CONNECT_SECONDS} s") from error
        except (NoValidConnectionsError, OSError, EOFError) as error:
            raise self._fault("the host can't be reached", Reason.UNREACHABLE, str(error)) from error
        transport = connection.transport
        assert transport is not None, "it is open"
        with contextlib.suppress(AttributeError, OSError):  # a jump host's is a channel
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_keepalive(KEEPALIVE_SECONDS)
        return connection

    def _trust(self, connection: Connection) -> None:
        """Fabric's own policy takes any host key that it does not know."""
        import paramiko

        client = connection.client
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        if self.login.known_hosts is not None:
            client.load_host_keys(str(self.login.known_hosts))
            return
        client.load_system_host_keys()
        with contextlib.suppress(OSError):
            client.load_system_host_keys("/etc/ssh/ssh_known_hosts")

    def _arguments(self, connection: Connection) -> dict[str, Any]:
        arguments = dict(connection.connect_kwargs)
        arguments |= {"transport_factory": _transport_of, "banner_timeout": CONNECT_SECONDS}
        if self.login.key is not None:
            arguments.pop("key_filename", None)
            arguments |= {"pkey": key_pair.opened(self.login.key), "look_for_keys": False, "allow_agent": False}
        elif self.login.key_file is not None:
            arguments |= {"key_filename": str(self.login.key_file), "look_for_keys": False, "allow_agent": False}
        if connection.gateway is None:
            # Ahead of the log-in: without TCP_NODELAY Paramiko waits 40 ms for the peer at each of its small packets.
            arguments["sock"] = _plain_socket(connection.host, connection.port)
        return arguments

    def _not_opened(self, found: str) -> SystemFault:
        if "not found in known_hosts" not in found:  # Paramiko has no type of its own for it
            return self._fault("the host can't be reached", Reason.UNREACHABLE, found)
        file = self.login.known_hosts or "~/.ssh/known_hosts"
        mend = f"ssh-keyscan it, compare the fingerprint with the host's own, and add the line to {file}"
        return self._fault("the host's key is not known", Reason.UNAUTHORISED, found, mend)

    def _fault(self, what: str, reason: Reason, found: str, mend: str = "") -> SystemFault:
        return SystemFault(what, reason=reason, where=self.name, found=found, mend=mend or f"ssh {self.name} true")


class _Stdin:
    """A channel's sending side as a file."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def write(self, data: bytes) -> int:
        self._channel.sendall(data)
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        # Not `shutdown_write`, which sends without the lock: Paramiko's answer to the end of the command may overtake
        # it, and sshd cuts the connection, with all that runs on it, once something comes for a channel that is gone.
        channel = self._channel
        with channel.lock:
            message = channel._send_eof()  # noqa: SLF001 - it is to be called under the lock
            if message is not None:
                channel.transport._send_user_message(message)  # noqa: SLF001 - as `shutdown_write` does


def _read(channel: Channel, deadline: float) -> tuple[bytes, bytes]:
    """Both streams to their ends. Waits in the kernel: Fabric's runners look every 10 ms.

    Raises:
        TimeoutError: they did not end in time.
    """
    output, errors = bytearray(), bytearray()
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    while True:
        while channel.recv_ready():
            output += channel.recv(CHUNK)
        while channel.recv_stderr_ready():
            errors += channel.recv_stderr(CHUNK)
        if channel.eof_received or channel.closed:
            # What came in between is read first.
            if channel.recv_ready() or channel.recv_stderr_ready():
                continue
            return bytes(output), bytes(errors)
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        poll.poll(left * 1000)


def _configuration() -> Any:
    """One for all connections: each of its own would read ``~/.ssh/config`` again."""
    global _shared  # noqa: PLW0603
    if _shared is None:
        import fabric

        _shared = fabric.Config()
    return _shared


_shared: Any = None


def _plain_socket(host: str, port: int) -> socket.socket:
    plain = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain


def _transport_of(sock: Any, **arguments: Any) -> Transport:
    """A transport that prefers AES-GCM, which moves a release a third faster; old servers may lack it."""
    import paramiko

    transport = paramiko.Transport(sock, **arguments)
    options = transport.get_security_options()
    options.ciphers = tuple(sorted(options.ciphers, key=lambda cipher: "gcm" not in cipher))
    return transport
