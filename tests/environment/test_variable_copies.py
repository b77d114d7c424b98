"""A copy of the variables holds what runs, also where a secret's versions are kept in another place."""

from __future__ import annotations

from pathlib import Path

import pyrage

from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.load import load
from runbooks.environment.secret_store import secret_versions
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from tests.environment.inventories import SMALL, inventory_with
from tests.shops import private
from tests.systems.secrets import manager

RUN = "20261128T090000.123Z-{}-k3f9"
NAME = "JWT_SECRET_KEY"


def test_what_secrets_manager_has_current_is_copied_in_the_place_of_what_the_variables_say(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    backup = f'\n[backup]\nrecipients = ["{identity.to_public()}"]\nidentity = {{ secret = "AGE_IDENTITY" }}\n'
    with manager.running() as declared:
        prefix = manager.fresh_prefix()
        manager.create(declared, prefix, JWT_SECRET_KEY="the-value-before")
        text = SMALL + backup + '[store]\nfolder = "store"\n' + manager.inventory_of(declared, prefix)
        inventory = inventory_with(tmp_path, production=text)
        values = {NAME: "the-value-before", "PLAIN": "1", "API_KEY": "a-key"}
        private(inventory / "production" / "variables.env", values)
        environ = {**manager.ENVIRON, "AGE_IDENTITY": str(identity), "FINGERPRINT_KEY": "a-key-for-fingerprints"}
        site = Site(load(inventory, "production"), Redactor(), environ)
        copies = VariableCopies(Snapshots(site))
        before = copies.back_up(RUN.format("before"))
        rotation, versions = RUN.format("secrets.rotate"), secret_versions(site)
        versions.put_pending({NAME: Secret(NAME, "the-value-of-now")}, rotation)
        versions.promote([NAME], rotation)

        after = copies.back_up(RUN.format("after").replace("k3f9", "k3fa"))

        copied = {name: each.reveal() for name, each in copies.open(after).items()}
        assert copied == values | {NAME: "the-value-of-now"}
        assert str(copies.differences(before)) == f"changed: {NAME}"
        assert not copies.differences(after)
