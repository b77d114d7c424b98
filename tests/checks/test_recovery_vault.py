"""Which vault is asked, and what of it, where the sandbox's faults do not reach."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from runbooks.checks.journey import Journey
from runbooks.checks.recovery_vault import secrets_in_vault
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding
from runbooks.engine.errors import Reason
from runbooks.engine.outcome import Verdict
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from tests.environment.inventories import SMALL, inventory_with
from tests.shops import private
from tests.systems.secrets import manager

VALUES = {
    "DATABASE_URL": "postgresql://a:a-password@db.internal/a",
    "JWT_SECRET_KEY": "a-key-of-now",
    "EMPTY_TOKEN": "",
    "PLAIN": "1",
}


def asked(folder: Path, more: str, **vault: str) -> tuple[Finding, Redactor]:
    inventory = inventory_with(folder, production=SMALL + more)
    private(inventory / "production" / "variables.env", VALUES)
    private(inventory / "production" / "vault.env", vault)
    redactor = Redactor()
    site = Site(load(inventory, "production"), redactor, {})
    return secrets_in_vault.look(Subject(site, cast("Journey", None)), {}), redactor


DECLARED = '\n[vault]\nsource = "dotenv"\npath = "vault.env"\n'


def test_without_a_vault_a_person_has_to_say_it(tmp_path: Path) -> None:
    finding, _ = asked(tmp_path, "")

    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, Reason.NOTHING_TO_ASK)
    assert "2 secret variables" in finding.found


def test_what_is_no_secret_or_empty_need_not_be_there(tmp_path: Path) -> None:
    secrets = {name: VALUES[name] for name in ("DATABASE_URL", "JWT_SECRET_KEY")}

    finding, _ = asked(tmp_path, DECLARED, **secrets)

    assert finding.verdict is Verdict.PASSED, finding


def test_what_is_missing_empty_or_otherwise_is_named_and_masked(tmp_path: Path) -> None:
    finding, redactor = asked(tmp_path, DECLARED, DATABASE_URL="", JWT_SECRET_KEY="a-key-from-before")

    assert finding.verdict is Verdict.FAILED
    assert finding.found.endswith("it lacks DATABASE_URL; it has other values of JWT_SECRET_KEY")
    assert redactor.text("a-key-from-before") == "[JWT_SECRET_KEY]"


def test_secrets_manager_is_the_vault_where_versions_are_kept_there(tmp_path: Path) -> None:
    with manager.running() as declared:
        prefix = manager.fresh_prefix()
        manager.create(declared, prefix, DATABASE_URL=VALUES["DATABASE_URL"], JWT_SECRET_KEY="another-one-than-runs")
        inventory = inventory_with(tmp_path, production=SMALL + manager.inventory_of(declared, prefix))
        private(inventory / "production" / "variables.env", VALUES)
        site = Site(load(inventory, "production"), Redactor(), manager.ENVIRON)

        finding = secrets_in_vault.look(Subject(site, cast("Journey", None)), {})

    assert finding.verdict is Verdict.FAILED
    assert finding.found.endswith(f"{prefix}* at {declared.endpoint}: it has other values of JWT_SECRET_KEY")
