from __future__ import annotations

import pytest

from runbooks.environment.deploying import Deploy, problems


@pytest.mark.parametrize(
    ("deploy", "said"),
    [
        (Deploy(gate_seconds=0), "'deploy.gate_seconds' must be a number above 0"),
        (Deploy(bake_seconds=float("nan")), "'deploy.bake_seconds' must be a number above 0"),
        (Deploy(bake_probes=19), "'deploy.bake_probes' must be at least 20"),
        (Deploy(latency_ratio=0.9), "below 1 asks every release to be faster"),
        (Deploy(bake_paths=()), "'deploy.bake_paths' is empty"),
        (Deploy(smoke_paths=("health",)), "must hold paths that begin with '/'"),
    ],
)
def test_what_no_deploy_can_mean_is_refused(deploy: Deploy, said: str) -> None:
    assert [problem.what for problem in problems(deploy) if said in problem.what]


def test_the_defaults_and_no_allowed_error_at_all_are_fine() -> None:
    assert not [*problems(Deploy()), *problems(Deploy(max_error_percent=0))]
