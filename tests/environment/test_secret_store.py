"""Where an environment keeps the versions of its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.load import load
from runbooks.environment.secret_store import secret_versions
from runbooks.environment.site import Site
from tests.environment.inventories import SMALL, damaged, inventory_with
from tests.shops import private

URL = "postgresql://praviel:pass%2Fword-1@db.internal/praviel"


def site(tmp_path: Path, text: str = SMALL) -> tuple[Site, Redactor]:
    inventory = inventory_with(tmp_path, production=text)
    private(inventory / "production" / "variables.env", {"DATABASE_URL": URL, "SHORT_KEY": "short"})
    redactor = Redactor()
    return Site(load(inventory, "production"), redactor, {}), redactor


def test_by_default_versions_are_kept_beside_the_variables_file(tmp_path: Path) -> None:
    asked, _ = site(tmp_path)
    versions = secret_versions(asked)

    assert str(versions) == str(tmp_path / "inventory" / "production" / "variables.env")
    current = versions.read("DATABASE_URL").current
    assert current is not None
    assert current.value.reveal() == URL


def test_a_link_is_followed_so_that_it_stays_one(tmp_path: Path) -> None:
    asked, _ = site(tmp_path)
    file = asked.environment.folder / "variables.env"
    file.rename(tmp_path / "elsewhere.env")
    file.symlink_to(tmp_path / "elsewhere.env")

    assert str(secret_versions(asked)) == str(tmp_path / "elsewhere.env")


def test_a_new_value_is_masked_from_the_moment_it_is_put_and_so_is_the_password_in_it(tmp_path: Path) -> None:
    asked, redactor = site(tmp_path)
    versions = secret_versions(asked)
    versions.put_pending({"DATABASE_URL": Secret("DATABASE_URL", URL.replace("word-1", "phrase-2"))}, "run")
    versions.put_pending({"SHORT_KEY": Secret("SHORT_KEY", "a longer value")}, "run")

    assert "phrase" not in redactor.text("pass%2Fphrase-2 and pass/phrase-2")
    assert redactor.text("a longer value") == "[SHORT_KEY]"


def test_variables_that_can_only_be_read_need_a_place_of_their_own(tmp_path: Path) -> None:
    text = damaged('source = "dotenv"', 'source = "environment"').replace('path = "variables.env"\n', "")
    asked, _ = site(tmp_path / "without", text)
    with pytest.raises(InputError, match="does not say where new values of secrets are to be put"):
        secret_versions(asked)

    asked, _ = site(tmp_path / "with", text + '\n[secret_store]\npath = "variables.env"\n')
    assert secret_versions(asked).read("DATABASE_URL").current


def test_secrets_manager_is_opened_as_it_is_declared(tmp_path: Path) -> None:
    declared = '\n[secret_store]\nkind = "secrets-manager"\nprefix = "praviel/"\nregion = "eu-central-1"\n'
    asked, _ = site(tmp_path, SMALL + declared)

    assert str(secret_versions(asked)) == "AWS Secrets Manager praviel/* at eu-central-1"
