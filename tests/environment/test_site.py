"""An environment with its systems at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site

TEXT = """\
schema = 1
[application]
url = {url}
[variables]
source = "dotenv"
path = "variables.env"
[secrets]
{secrets}
[platform]
kind = "hosts"
"""
Opening = Callable[..., Site]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opening]:
    made = []

    def open_site(
        variables: str = "",
        *,
        operator: str | None = None,
        url: str = '"http://127.0.0.1:9"',
        more: str = "",
        **environ: str,
    ) -> Site:
        folder = tmp_path / "inventory" / "shop"
        folder.mkdir(parents=True)
        secrets = 'source = "environment"' if operator is None else 'source = "dotenv"\npath = "operator.env"'
        (folder / "environment.toml").write_text(TEXT.format(url=url, secrets=secrets) + more)
        for name, text in (("variables.env", variables), ("operator.env", operator or "")):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text)
        made.append(Site(load(tmp_path / "inventory", "shop"), Redactor(), environ))
        return made[-1]

    yield open_site
    for site in made:
        site.close()


@pytest.mark.parametrize(("text", "value"), [("true", True), ("ON", True), ("1", True), ("no", False), ("f", False)])
def test_a_truth_value_is_read_as_the_application_reads_it(text: str, value: bool, opened: Opening) -> None:
    assert opened(f"FLAG={text}\n").flag("FLAG", default=not value) is value


def test_an_unset_variable_has_the_applications_default(opened: Opening) -> None:
    site = opened()

    assert (site.flag("FLAG", default=True), site.number("SIZE", default=7)) == (True, 7)


def test_what_is_neither_is_told(opened: Opening) -> None:
    site = opened("FLAG=perhaps\nSIZE=many\n")

    with pytest.raises(SystemFault, match="neither true nor false"):
        site.flag("FLAG", default=True)
    with pytest.raises(SystemFault, match="not a whole number"):
        site.number("SIZE", default=1)


def test_the_applications_secrets_and_the_operators_are_masked(opened: Opening) -> None:
    site = opened(
        "API_KEY=app-Secret-1\nDATABASE_URL=postgresql://u:app-Secret-2@h/d\n", operator="TOKEN=op-Secret-3\n"
    )

    assert "Secret" not in site.redactor.text("app-Secret-1 app-Secret-2 op-Secret-3")


def test_of_the_process_only_what_is_asked_for_by_name_is_a_secret(opened: Opening) -> None:
    """The whole environment holds all sorts of things: masking them would shred every log."""
    site = opened(
        url='{ secret = "SHOP_URL" }', SHOP_URL="http://u:hidden-word@127.0.0.1:9", SHELL_KEY="unrelated-value"
    )

    assert site.redactor.text("unrelated-value") == "unrelated-value"
    assert site.application.base_url.endswith(":9")
    assert "hidden-word" not in site.redactor.text("http://u:hidden-word@127.0.0.1:9")


def test_fingerprints_tell_equal_from_different_and_nothing_else(opened: Opening) -> None:
    site = opened("A=1\n", operator="FINGERPRINT_KEY=a-long-enough-key\n")

    assert site.fingerprint("value") == site.fingerprint("value") != site.fingerprint("another")
    assert "value" not in site.fingerprint("value")
    assert site.variables_fingerprint() is not None


def test_without_a_key_there_is_no_fingerprint(opened: Opening) -> None:
    site = opened("A=1\n")

    assert site.variables_fingerprint() is None
    with pytest.raises(InputError, match="FINGERPRINT_KEY"):
        site.fingerprint("value")


def test_without_a_checkout_the_source_says_what_to_declare(opened: Opening) -> None:
    with pytest.raises(SystemFault) as caught:
        _ = opened().source

    assert caught.value.mend == "declare release.source in the inventory"


def test_the_commit_is_the_variables(opened: Opening) -> None:
    assert opened("GIT=abc\n", more='[release]\ncommit_variable = "GIT"\n').commit == "abc"


def test_a_peer_that_can_not_be_loaded_is_the_operators_to_mend(opened: Opening) -> None:
    with pytest.raises(InputError, match="there is no environment 'staging'"):
        opened().peer_variables("staging")
