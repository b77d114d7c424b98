"""Reads supervisor's configuration: where its interface answers, its own log, and a program's restart policy.

Its interface does not tell ``autorestart``, so the files are read as supervisor reads them.
"""

from __future__ import annotations

import configparser
import os.path
from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret


@dataclass(frozen=True)
class Address:
    """Where supervisor's interface answers, and to whom; ``socket`` instead of a port if it has a file."""

    port: int | None
    socket: str | None
    user: str
    password: Secret


@dataclass(frozen=True)
class SupervisorConfig:
    """The main file's sections, with those of the files that it includes.

    Attributes:
        where: The main file, for errors.
        sections: Options by section and name, without comments.
    """

    where: str
    sections: Mapping[str, Mapping[str, str]]

    @classmethod
    def parse(cls, where: str, *texts: str) -> SupervisorConfig:
        """The configuration in these texts, later ones over earlier ones.

        Raises:
            SystemFault: one of them is no configuration file.
        """
        parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
        try:
            for text in texts:
                parser.read_string(text, source=where)
        except configparser.Error as error:
            what = "supervisor's configuration can't be parsed"
            raise SystemFault(what, reason=Reason.BAD_ANSWER, where=where, found=type(error).__name__) from None
        return cls(where, {name: dict(parser[name]) for name in parser.sections()})

    def included(self) -> list[str]:
        """The patterns of the files that are read after this one, absolute."""
        folder = os.path.dirname(self.where)
        return [os.path.join(folder, each) for each in self._get("include", "files").split()]

    def address(self) -> Address:
        """Where the interface answers.

        Raises:
            SystemFault: it has none.
        """
        if section := self.sections.get("inet_http_server"):
            port = section.get("port", "").rpartition(":")[2]
            return Address(int(port), None, *_login(section)) if port.isdecimal() else self._no_address()
        if section := self.sections.get("unix_http_server"):
            return Address(None, _plain(section.get("file", "")), *_login(section))
        return self._no_address()

    def own_log(self) -> str | None:
        """The file in which supervisor notes starts and ends."""
        return _plain(self._get("supervisord", "logfile")) or None

    def autorestart(self, program: str) -> str:
        """``true``, ``false`` or ``unexpected``, which is supervisor's default.

        Raises:
            SystemFault: no such program is configured.
        """
        section = self.sections.get(f"program:{program}")
        if section is None:
            names = sorted(name.removeprefix("program:") for name in self.sections if name.startswith("program:"))
            raise SystemFault(
                f"supervisor's configuration has no program {program}",
                reason=Reason.BAD_ANSWER,
                where=self.where,
                found=", ".join(names) or "no program at all",
                mend="correct platform.service.name",
            )
        written = section.get("autorestart", "unexpected").lower()
        return {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}.get(
            written, written
        )

    def _get(self, section: str, option: str) -> str:
        return self.sections.get(section, {}).get(option, "")

    def _no_address(self) -> Address:
        raise SystemFault(
            "supervisor has no interface to ask",
            reason=Reason.UNREACHABLE,
            where=self.where,
            found="neither [unix_http_server] nor [inet_http_server] with a port",
            mend="give it a [unix_http_server]",
        )


def _login(section: Mapping[str, str]) -> tuple[str, Secret]:
    return _plain(section.get("username", "")), Secret("supervisor password", _plain(section.get("password", "")))


def _plain(value: str) -> str:
    return value.replace("%%", "%")
