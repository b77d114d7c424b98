"""An inventory file becomes an environment."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from runbooks.environment import shape
from runbooks.environment.load import load
from runbooks.environment.locate import places
from runbooks.environment.model import Environment, Plan, PlatformKind, Reach
from runbooks.environment.problem import dotted
from runbooks.environment.value import SecretRef, VariableRef
from runbooks.systems.secrets.source import SourceKind
from tests.environment.inventories import SMALL, damaged, inventory_with

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "inventory"


def test_an_inventory_of_under_30_lines_describes_a_running_application(tmp_path: Path) -> None:
    assert len(SMALL.splitlines()) < 30
    environment = load(inventory_with(tmp_path, production=SMALL), "production")
    assert environment.name == "production"
    assert environment.application.url == "https://api.example.org"
    assert environment.variables.source is SourceKind.DOTENV
    assert environment.database.url == VariableRef("DATABASE_URL")
    assert environment.protected
    assert not environment.sandbox


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    text = """
        schema = 1
        application.url = { variable = "BASE_URL" }
        variables.source = "environment"
        platform.kind = "hosts"
    """
    environment = load(inventory_with(tmp_path, production=text), "production")
    assert environment.application.url == VariableRef("BASE_URL")
    assert environment.application.environment == "production"
    assert environment.application.health_latency_budget_ms == 500
    assert environment.application.test_email_domain is None
    assert environment.secrets.source is SourceKind.ENVIRONMENT
    assert environment.database.reach is Reach.DIRECT
    assert environment.redis.url == VariableRef("REDIS_URL")
    assert environment.fingerprints.key == SecretRef("FINGERPRINT_KEY")
    assert environment.platform.plan is Plan.DEDICATED
    assert environment.release.commit_variable is None
    assert environment.checks.concurrency_per_target == 4


def test_the_plan_and_commit_variable_follow_the_platform_unless_declared(tmp_path: Path) -> None:
    hosts_on_small_plan = damaged('kind = "railway"', 'kind = "hosts"\nplan = "railway"')
    inventory = inventory_with(tmp_path, production=SMALL, other=hosts_on_small_plan)
    production, other = load(inventory, "production"), load(inventory, "other")
    assert (production.platform.kind, production.platform.plan) == (PlatformKind.RAILWAY, Plan.RAILWAY)
    assert production.release.commit_variable == "RAILWAY_GIT_COMMIT_SHA"
    assert other.platform.plan is Plan.RAILWAY
    assert other.release.commit_variable is None


@pytest.mark.parametrize(("plan", "accepted"), [(Plan.RAILWAY, {5, 10}), (Plan.DEDICATED, {20, 50})])
def test_a_plan_accepts_pool_sizes_up_to_and_including_its_limits(plan: Plan, accepted: set[int]) -> None:
    assert {plan.pool_sizes[0], plan.pool_sizes[-1]} == accepted


def test_paths_are_relative_to_what_the_example_says(tmp_path: Path) -> None:
    text = damaged("[checks]", '[release]\nsource = "build"\npython = "/usr/bin/python3"\n[checks]').replace(
        'reach = "direct"', 'reach = "direct"\nca_file = "ca.pem"'
    )
    inventory = inventory_with(tmp_path, production=text)
    (inventory / "production" / "ca.pem").touch()
    environment = load(inventory, "production")
    assert environment.release.source == tmp_path / "build"
    assert environment.release.python == Path("/usr/bin/python3")
    assert environment.database.ca_file == inventory / "production" / "ca.pem"
    assert environment.store.folder == tmp_path / "var" / "store" / "production"


def test_peers_are_all_real_environments_unless_declared(tmp_path: Path) -> None:
    sandbox = damaged("schema = 1", "schema = 1\nsandbox = true\nprotected = false")
    inventory = inventory_with(
        tmp_path, production=SMALL, staging=SMALL, local=sandbox, local_staging=sandbox, example=SMALL
    )
    (inventory / "staging" / "environment.toml").write_text("damaged", encoding="utf-8")
    assert load(inventory, "production").fingerprints.peers == ("staging",)
    assert load(inventory, "local").fingerprints.peers == ("local-staging",)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production="")
    content = b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode()
    (inventory / "production" / "environment.toml").write_bytes(content)
    assert load(inventory, "production").description == "The public service"


def test_the_sandboxes_that_come_with_the_tool_load() -> None:
    local, staging = load(SHIPPED, "local"), load(SHIPPED, "local-staging")
    for environment in (local, staging):
        assert environment.sandbox
        assert not environment.protected
        assert environment.release.python is None
        assert environment.application.test_email_domain
        assert environment.label == f"{environment.name} (sandbox)"
    assert local.fingerprints.peers == ("local-staging",)
    assert staging.fingerprints.peers == ("local",)
    assert (local.application.environment, staging.application.environment) == ("production", "staging")
    assert local.release.source == PROJECT / "var/sandbox/environments/local/host/active/release"


def test_the_example_loads() -> None:
    environment = load(SHIPPED, "example")
    assert isinstance(environment, Environment)
    assert environment.protected


def test_the_example_shows_every_key_and_no_other() -> None:
    text = (SHIPPED / "example" / "environment.toml").read_text(encoding="utf-8")
    uncommented = re.sub(r"^# (\w+ = |\[)", r"\1", text, flags=re.MULTILINE)
    tomllib.loads(uncommented)
    shown = {dotted(path) for path in places(uncommented)}
    assert shown <= set(shape.known_keys())
    # The two sources take the same keys; each is shown with one of them.
    assert {_one_source(key) for key in shape.known_keys()} == {_one_source(key) for key in shown}


def _one_source(key: str) -> str:
    return key.replace("secrets.", "variables.", 1)


def test_the_model_and_the_loader_cost_no_import_of_pydantic() -> None:
    program = (
        "import runbooks.environment.model, runbooks.environment.load, runbooks.environment.resolve, sys;"
        "sys.exit('pydantic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROJECT, timeout=60)
