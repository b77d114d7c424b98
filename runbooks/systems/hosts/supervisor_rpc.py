"""Calls to supervisord's XML-RPC interface, with a timeout, and with every failure mapped to a SystemFault."""

from __future__ import annotations

import base64
import http.client
import socket
import xml.parsers.expat
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret

Connect = Callable[[str], socket.socket]


@dataclass(frozen=True)
class Interface:
    """Where the process manager answers on its own machine, and to whom: at a port, or at a socket's file.

    Attributes:
        connect: Reaches ``ADDRESS:PORT`` of that machine; None: it is this one.
    """

    port: int | None
    user: str
    password: Secret
    socket: str | None = None
    connect: Connect | None = None

    def call(self, method: str, *arguments: object, seconds: float = 10) -> Any:
        """The method's answer.

        Args:
            method: Its name after ``supervisor.``
            seconds: How long to wait for each read; connecting is immediate on loopback.

        Raises:
            SystemFault: UNREACHABLE, TIMED_OUT, UNAUTHORISED, BAD_ANSWER, or REFUSED by supervisord itself.
        """
        where = f"{self.socket or f'http://127.0.0.1:{self.port}'} {method}"
        # Not in the URL: xmlrpc.client puts the URL into its errors.
        token = base64.b64encode(f"{self.user}:{self.password.reveal()}".encode()).decode()
        try:
            with xmlrpc.client.ServerProxy(
                f"http://127.0.0.1:{self.port}/RPC2",
                transport=_Transport(seconds, token, self),
            ) as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise _fault("the process manager refused", Reason.REFUSED, where, fault.faultString) from fault
        except xmlrpc.client.ProtocolError as error:
            reason = Reason.UNAUTHORISED if error.errcode == 401 else Reason.BAD_ANSWER
            raise _fault("the process manager did not accept the call", reason, where, error.errmsg) from None
        except TimeoutError as error:
            raise _fault("the process manager is too slow", Reason.TIMED_OUT, where, repr(error)) from error
        except OSError as error:
            raise _fault("the process manager can't be reached", Reason.UNREACHABLE, where, str(error)) from error
        except (http.client.HTTPException, xml.parsers.expat.ExpatError, xmlrpc.client.Error) as error:
            raise _fault("that is no process manager", Reason.BAD_ANSWER, where, repr(error)) from error


class _Transport(xmlrpc.client.Transport):
    def __init__(self, seconds: float, token: str, interface: Interface) -> None:
        super().__init__(headers=[("Authorization", f"Basic {token}")])
        self._seconds = seconds
        self._interface = interface

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        path, connect = self._interface.socket, self._interface.connect
        if path is not None:
            self._connection = host, _ToSocketFile(path, self._seconds)  # so that it is closed as others are
            return self._connection[1]
        if connect is not None:
            self._connection = host, _ToHost(connect, f"127.0.0.1:{self._interface.port}", self._seconds)
            return self._connection[1]
        connection = super().make_connection(host)
        connection.timeout = self._seconds
        return connection


class _ToSocketFile(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _ToHost(http.client.HTTPConnection):
    def __init__(self, reach: Connect, address: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._reach = reach
        self._address = address

    def connect(self) -> None:
        self.sock = self._reach(self._address)
        self.sock.settimeout(self.timeout)


MENDS = {
    Reason.UNAUTHORISED: "see the username and password in its configuration, and whether it was loaded since",
    Reason.UNREACHABLE: "see whether the process manager runs",
}


def _fault(what: str, reason: Reason, where: str, found: str) -> SystemFault:
    mend = MENDS.get(reason, "read the process manager's own log")
    return SystemFault(what, reason=reason, where=where, found=found, mend=mend)
