"""An HTTP server: ``/ok`` answers at once, ``/slow`` after 100 ms; 25 further ports only accept connections.

Prints its port; the others are the 25 above it. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import random
import sys

BODY = b'{"status":"ok"}\n'
EXTRA = 25


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /slow"):
                await asyncio.sleep(0.1)
            last = b"connection: close" in head.lower()
            ending = b"Connection: close\r\n" if last else b""
            length = b"Content-Length: %d\r\n" % len(BODY)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + ending + b"\r\n" + BODY)
            await writer.drain()
            if last:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def listen() -> tuple[int, list[asyncio.Server]]:
    while True:
        first = random.randrange(20000, 30000)
        servers: list[asyncio.Server] = []
        try:
            for port in range(first, first + EXTRA + 1):
                server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
                servers.append(server)
        except OSError:
            for server in servers:
                server.close()
        else:
            return first, servers


async def main() -> None:
    port, _servers = await listen()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
