"""60 requests of an endpoint that takes 100 ms: checks of the engine (``ours``), ``sequential``, or ``async``, 20 wide.

sixty_requests.py HOW PORT
"""

from __future__ import annotations

import sys

REQUESTS, WIDTH = 60, 20


def ours(port: int) -> int:
    import threading
    from datetime import timedelta

    from runbooks.engine.check import Check, Evidence, Finding, Phase, Results, Severity, failed, passed
    from runbooks.engine.checking import Questioning, ask_all
    from runbooks.systems.http.client import HttpClient

    def look(client: HttpClient, _known: Results) -> Finding:
        answer = client.get("/slow")
        found = f"HTTP {answer.status}"
        return passed("HTTP 200", found) if answer.status == 200 else failed("HTTP 200", found, "see its log")

    checks = [
        Check(
            id=f"api.answer-{number}",
            title="It answers",
            number=None,
            section="",
            severity=Severity.MAJOR,
            evidence=Evidence.PROBE,
            phase=Phase.LIVE,
            valid_for=timedelta(0),
            depends_on=(),
            target="application",
            look=look,
        )
        for number in range(REQUESTS)
    ]
    with HttpClient(f"http://127.0.0.1:{port}") as client:
        how = Questioning(
            tools=client,
            cap=WIDTH,
            stopping=threading.Event(),
            reuse=lambda _check: None,
            on_result=lambda _check, _result: None,
        )
        return sum(result.verdict.good for result in ask_all(how, checks, {}).values())


def sequential(port: int) -> int:
    import httpx

    with httpx.Client(trust_env=False, verify=False) as client:
        return sum(client.get(f"http://127.0.0.1:{port}/slow").status_code == 200 for _ in range(REQUESTS))


def concurrent(port: int) -> int:
    import asyncio

    import httpx

    async def every() -> int:
        gate = asyncio.Semaphore(WIDTH)
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:

            async def one() -> bool:
                async with gate:
                    return (await client.get(f"http://127.0.0.1:{port}/slow")).status_code == 200

            return sum(await asyncio.gather(*(one() for _ in range(REQUESTS))))

    return asyncio.run(every())


if __name__ == "__main__":
    ways = {"ours": ours, "sequential": sequential, "async": concurrent}
    print(f"{ways[sys.argv[1]](int(sys.argv[2]))} requests ok")
