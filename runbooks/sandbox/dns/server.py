"""Answers questions from the zone's file."""

from __future__ import annotations

import threading
from pathlib import Path

from dnslib import CNAME, QTYPE, RCODE, RR, DNSError, DNSRecord
from dnslib.server import DNSHandler, DNSLogger, DNSServer

LOOPBACK = "127.0.0.1"
LONGEST_CHAIN = 8
"""Aliases that are followed for one question."""


class Zone:
    """The records of one file.

    Args:
        file: In the format of a zone's master file; names are absolute.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._records: list[RR] | None = None

    def resolve(self, request: DNSRecord, _handler: DNSHandler) -> DNSRecord:
        reply = request.reply()
        records = self._read()
        if records is None:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        reply.header.aa = 1
        name, kind = request.q.qname, QTYPE[request.q.qtype]
        for _ in range(LONGEST_CHAIN):
            here = [record for record in records if record.rname == name]
            found = [record for record in here if QTYPE[record.rtype] in (kind, "CNAME")]
            for record in found:
                reply.add_answer(record)
            alias = next((record for record in found if isinstance(record.rdata, CNAME)), None)
            if alias is None or kind == "CNAME":
                break
            name = alias.rdata.label
        if not reply.rr and not any(record.rname.matchSuffix(request.q.qname) for record in records):
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def _read(self) -> list[RR] | None:
        """The records of now; None if the file can't be read."""
        with self._lock:
            try:
                status = self._file.stat()
                version = (status.st_ino, status.st_mtime_ns)
                if version != self._version:
                    self._records = RR.fromZone(self._file.read_text())
                    self._version = version
            except (OSError, ValueError, DNSError):
                self._version = self._records = None
            return self._records


def create_servers(file: Path, port: int) -> list[DNSServer]:
    """One for UDP and one for TCP, listening and not started yet. Raises OSError if the port is taken."""
    zone, quiet = Zone(file), DNSLogger("-send,-recv,-request,-reply,-truncated,-error")
    return [DNSServer(zone, port=port, address=LOOPBACK, tcp=tcp, logger=quiet) for tcp in (False, True)]
