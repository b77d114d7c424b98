from __future__ import annotations

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.systems.hosts import builds

LINE = '{"release": "951a", "started": "2026-11-23T08:02:30+00:00", "seconds": 41.2, "succeeded": true, "log": "b.log"}'


def test_a_record_is_a_build() -> None:
    (build,) = builds.parse(f"{LINE}\n", "builds.jsonl")

    assert (build.release, build.seconds, build.succeeded, build.log) == ("951a", 41.2, True, "b.log")


@pytest.mark.parametrize("line", ["{", '{"release": "951a"}', "[]", LINE.replace("41.2", '"long"')])
def test_what_is_no_record_is_told_with_its_line(line: str) -> None:
    with pytest.raises(SystemFault) as caught:
        builds.parse(f"{LINE}\n{line}\n", "builds.jsonl")

    assert caught.value.where == "builds.jsonl:2"
