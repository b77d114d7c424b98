"""A release in front of the public: the same questions as ahead of the switch, and the answers compared."""

from __future__ import annotations

import time
from collections.abc import Iterator

from runbooks.engine.errors import NeedsPerson, Reason, SystemFault
from runbooks.engine.percentile import percentile
from runbooks.engine.step import Scope
from runbooks.steps.deploying import Deploying
from runbooks.steps.gate import problem_of
from runbooks.steps.judging import SHARE, Bounds, Judgement, Sampled, Verdict, judge
from runbooks.steps.serving import Serving

BASELINE, BAKE = "baseline", "bake"


def measure_baseline(work: Deploying, scope: Scope) -> str:
    """Ask what runs now, as the bake will ask what comes after it."""
    states = work.states().values()
    if not any(state.active for state in states):
        return "nothing runs yet, so there is nothing to compare with"
    if any(state.active and state.active is work.ours(state) for state in states):
        return "requests go to the new release already, so what was measured before stands"
    count = work.declared.bake_probes
    found = _probe(work, scope, count, pause=0.0, until=0.0)
    scope.record(BASELINE, seconds=[round(each, 4) for each in found.seconds], failures=found.failures)
    return told(found)


def plan_bake(work: Deploying) -> Iterator[str]:
    """For how long, by how many questions, within which bounds."""
    declared = work.declared
    yield (
        f"{declared.bake_seconds:g} s and {declared.bake_probes} probes at least of {', '.join(declared.bake_paths)};"
        f" at most {declared.max_error_percent:g} % may fail, p95 at most {declared.latency_ratio:g} times what it was"
        f" (below {declared.latency_floor_ms:g} ms it is fine)"
    )


def smoke(work: Serving, _scope: Scope) -> str:
    """Ask the public address for a few things that must work."""
    problems = [found for path in work.declared.smoke_paths if (found := problem_of(work.site.application, path))]
    if problems:
        raise work.prove(f"at {work.site.application}: {'; '.join(problems)}")
    return f"{', '.join(work.declared.smoke_paths)} answer at {work.site.application}"


def bake(work: Deploying, scope: Scope) -> str:
    """Ask for the declared time, and compare.

    Raises:
        SystemFault: it does worse than the release before.
        NeedsPerson: it can't be told.
    """
    noted = work.noted(BASELINE)
    baseline = Sampled(noted["seconds"], noted["failures"]) if noted else Sampled([])
    declared = work.declared
    bounds = Bounds(declared.bake_probes, declared.max_error_percent, declared.latency_ratio, declared.latency_floor_ms)
    pause = declared.bake_seconds / declared.bake_probes
    found, ends = Sampled([]), time.monotonic() + declared.bake_seconds
    while True:
        found = _joined(found, _probe(work, scope, declared.bake_probes, pause=pause, until=ends))
        verdict = judge(baseline, found, bounds)
        over = time.monotonic() >= ends and found.count >= declared.bake_probes
        if over or verdict.judgement is Judgement.FAILED:
            break
    scope.record(BAKE, judgement=verdict.judgement, why=verdict.why, probes=found.count, failures=found.failures)
    return _decided(work, verdict, found)


def _decided(work: Deploying, verdict: Verdict, found: Sampled) -> str:
    if verdict.judgement is Judgement.FAILED:
        raise work.prove(f"in the bake: {verdict.why}")
    if verdict.judgement is Judgement.INCONCLUSIVE:
        raise NeedsPerson(
            "the bake is inconclusive: nobody can tell from these numbers whether the release is good",
            where=str(work.site.application),
            found=verdict.why,
            mend=f"invoke runs.resume {work.run} bakes it again, with --accept WHY you answer for it;"
            f" invoke runs.abort {work.run} goes back",
        )
    return f"{found.count} probes: {verdict.why}"


def _probe(work: Deploying, scope: Scope, count: int, *, pause: float, until: float) -> Sampled:
    """So many questions, so many seconds apart; a slow answer makes the next one follow at once.

    Past ``until`` (a monotonic time) it does not wait any more.
    """
    seconds, failures, paths = list[float](), 0, work.declared.bake_paths
    began = time.monotonic()
    for number in range(count):
        if scope.stopping:
            raise SystemFault("stopped while it was measured", reason=Reason.FAILED)
        due = min(began + number * pause, until) if pause else 0.0
        scope.stop_event.wait(max(0.0, due - time.monotonic()))
        asked = time.monotonic()
        if problem_of(work.site.application, paths[number % len(paths)]):
            failures += 1
        else:
            seconds.append(time.monotonic() - asked)
        scope.remaining()
    return Sampled(seconds, failures)


def _joined(one: Sampled, other: Sampled) -> Sampled:
    return Sampled([*one.seconds, *other.seconds], one.failures + other.failures)


def told(found: Sampled) -> str:
    """What probes came to, in a few words."""
    if not found.seconds:
        return f"{found.failures} of {found.count} probes failed"
    latency = percentile(found.seconds, SHARE) * 1000
    return f"{found.count} probes, {found.failures} failed, p95 {latency:.0f} ms"
