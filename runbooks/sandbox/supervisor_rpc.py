"""Calls to supervisord's XML-RPC interface, with a timeout, and with every failure mapped to a SystemFault."""

from __future__ import annotations

import base64
import http.client
import xml.parsers.expat
import xmlrpc.client
from dataclasses import dataclass
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret


@dataclass(frozen=True)
class Interface:
    """Where the process manager answers, and to whom."""

    port: int
    user: str
    password: Secret

    def call(self, method: str, *arguments: object, seconds: float = 10) -> Any:
        """The method's answer.

        Args:
            method: Its name after ``supervisor.``
            seconds: How long to wait for each read; connecting is immediate on loopback.

        Raises:
            SystemFault: UNREACHABLE, TIMED_OUT, UNAUTHORISED, BAD_ANSWER, or REFUSED by supervisord itself.
        """
        where = f"http://127.0.0.1:{self.port} {method}"
        # Not in the URL: xmlrpc.client puts the URL into its errors.
        token = base64.b64encode(f"{self.user}:{self.password.reveal()}".encode()).decode()
        try:
            with xmlrpc.client.ServerProxy(
                f"http://127.0.0.1:{self.port}/RPC2",
                transport=_Transport(seconds, token),
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
    def __init__(self, seconds: float, token: str) -> None:
        super().__init__(headers=[("Authorization", f"Basic {token}")])
        self._seconds = seconds

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = self._seconds
        return connection


def _fault(what: str, reason: Reason, where: str, found: str) -> SystemFault:
    return SystemFault(what, reason=reason, where=where, found=found)
