"""What a rotation relies on, asked of every place that keeps versions of secrets."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbooks.engine.errors import InputError, NeedsPerson
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.dotenv_versions import DotenvVersions
from runbooks.systems.secrets.secrets_manager import SecretsManager, SecretsManagerVersions
from runbooks.systems.secrets.versions import Label, SecretVersions, Stage, VersionStore, version_id
from tests.systems.secrets import manager

NAME, PARTNER, OTHER = "JWT_SECRET_KEY", "JWT_PARTNER", "OTHER"
OLD, NEW, NEWER = "the-old-value", "the-new-value", "a-newer-value"
RUN, NEXT = "20261128T081500.000Z-secrets.rotate-k3f9", "20261128T091500.000Z-secrets.rotate-x1y2"

AWKWARD = {
    "both quotes": """it's "quoted" twice, 'so' it "is\"""",
    "lines": "first\nsecond\n\n  third\n",
    "a dollar": "pa$$word $HOME $(id) `id`",
    "percents": "%s %d 50% %%PATH%%",
    "unicode": "Schlüssel–ключ–鍵–🔑–\u2028–\x85",
    "backslashes": "a\\b\\n\\'\\\"\\",
    "a comment": "before # after",
    "blanks around": "  value  ",
    "an equal sign": "a=b=c; export X=1",
    "base64": "q83vEjRWeJCrze8SNFZ4kA==",
    "eight": "8 chars.",
    "4 KiB": "".join(chr(33 + place * 7 % 90) for place in range(4096)),
    "a key file": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----\n",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[SecretsManager]:
    with manager.running() as declared:
        yield declared


Open = Callable[[], VersionStore]


@pytest.fixture(params=["dotenv", "secrets-manager"])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same place, as another process would; NAME, PARTNER and OTHER are in it."""
    if request.param == "dotenv":
        path = tmp_path / "variables.env"
        path.touch(mode=0o600)
        path.write_text(f"# keys\n{NAME}={OLD} # mind\nexport {PARTNER}='{OLD}'\n\n{OTHER}=\"stays\"\n")
        return lambda: DotenvVersions(path)
    declared = dataclasses.replace(request.getfixturevalue("aws"), prefix=f"praviel/{secrets.token_hex(4)}/")
    store = SecretsManagerVersions(declared)  # keeps nothing but its connections, which are dear
    for name, value in {NAME: OLD, PARTNER: OLD, OTHER: "stays"}.items():
        store._client.create_secret(Name=f"{declared.prefix}{name}", SecretString=value)
    return lambda: store


def labels(store: VersionStore, name: str = NAME) -> dict[Label, str]:
    return {label: version.value.reveal() for label, version in store.read(name).labelled().items()}


def value(text: str, name: str = NAME) -> dict[str, Secret]:
    return {name: Secret(name, text)}


def test_a_rotation_goes_from_one_label_to_the_next_and_each_effect_happens_once(reopened: Open) -> None:
    def step(act: Callable[[SecretVersions], bool]) -> tuple[bool, bool]:
        return act(SecretVersions(reopened())), act(SecretVersions(reopened()))

    assert labels(reopened()) == {Label.CURRENT: OLD}
    assert step(lambda versions: versions.put_pending(value(NEW), RUN)) == (True, False)
    assert labels(reopened()) == {Label.CURRENT: OLD, Label.PENDING: NEW}
    assert step(lambda versions: versions.promote([NAME], RUN)) == (True, False)
    assert labels(reopened()) == {Label.CURRENT: NEW, Label.PREVIOUS: OLD}
    assert step(lambda versions: versions.retire([NAME], RUN)) == (True, False)
    assert labels(reopened()) == {Label.CURRENT: NEW}
    assert labels(reopened(), OTHER) == {Label.CURRENT: "stays"}


def test_a_rotation_goes_back_the_same_way(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    versions.put_pending(value(NEW), RUN)
    versions.promote([NAME], RUN)

    assert [versions.demote([NAME], RUN), versions.demote([NAME], RUN)] == [True, False]
    assert labels(reopened()) == {Label.CURRENT: OLD, Label.PENDING: NEW}
    assert versions.promote([NAME], RUN)
    assert labels(reopened()) == {Label.CURRENT: NEW, Label.PREVIOUS: OLD}
    versions.demote([NAME], RUN)
    assert [versions.discard([NAME], RUN), versions.discard([NAME], RUN)] == [True, False]
    assert labels(reopened()) == {Label.CURRENT: OLD}
    assert versions.demote([NAME], RUN) is False
    assert versions.put_pending(value(NEW), NEXT)


def test_each_stage_is_known_by_the_run_that_made_it(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    seen = [versions.stage(NAME, RUN)]
    versions.put_pending(value(NEW), RUN)
    seen.append(versions.stage(NAME, RUN))
    versions.promote([NAME], RUN)
    seen.append(versions.stage(NAME, RUN))
    versions.retire([NAME], RUN)
    seen.append(versions.stage(NAME, RUN))

    assert seen == [Stage.NONE, Stage.PENDING, Stage.PROMOTED, Stage.RETIRED]
    assert versions.stage(NAME, NEXT) is Stage.NONE
    current = versions.read(NAME).current
    assert current is not None
    assert current.id == version_id(RUN, NAME)
    assert current.created is not None


def test_one_rotation_follows_another(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    for run, new in ((RUN, NEW), (NEXT, NEWER)):
        versions.put_pending(value(new), run)
        versions.promote([NAME], run)
        versions.retire([NAME], run)

    assert labels(reopened()) == {Label.CURRENT: NEWER}
    assert versions.stage(NAME, RUN) is Stage.NONE


def test_what_belongs_together_goes_together(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    both = value(NEW) | value(NEWER, PARTNER)
    versions.put_pending(value(NEW), RUN)  # as if the first were done when the process died

    assert versions.put_pending(both, RUN)
    assert versions.promote([*both], RUN)
    assert (labels(reopened())[Label.CURRENT], labels(reopened(), PARTNER)[Label.CURRENT]) == (NEW, NEWER)
    assert versions.retire([*both], RUN)


def test_a_second_rotation_waits_for_the_first(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    versions.put_pending(value(NEW), RUN)
    with pytest.raises(NeedsPerson, match="another rotation of JWT_SECRET_KEY has not ended"):
        versions.put_pending(value(NEWER), NEXT)
    with pytest.raises(NeedsPerson, match="this run had put another value"):
        versions.put_pending(value(NEWER), RUN)
    versions.promote([NAME], RUN)
    with pytest.raises(NeedsPerson, match="has not retired PREVIOUS"):
        versions.put_pending(value(NEWER), NEXT)
    assert labels(reopened()) == {Label.CURRENT: NEW, Label.PREVIOUS: OLD}


def test_no_effect_happens_out_of_turn(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    for effect in (versions.promote, versions.retire):
        with pytest.raises(NeedsPerson, match="this run can't"):
            effect([NAME], RUN)
    versions.put_pending(value(NEW), RUN)
    with pytest.raises(NeedsPerson, match="this run can't retire JWT_SECRET_KEY"):
        versions.retire([NAME], RUN)
    versions.promote([NAME], RUN)
    with pytest.raises(NeedsPerson, match="this run can't discard JWT_SECRET_KEY"):
        versions.discard([NAME], RUN)
    versions.retire([NAME], RUN)
    with pytest.raises(NeedsPerson, match="this run can't demote JWT_SECRET_KEY"):
        versions.demote([NAME], RUN)
    assert labels(reopened()) == {Label.CURRENT: NEW}


def test_what_is_not_there_or_already_there_is_refused(reopened: Open) -> None:
    versions = SecretVersions(reopened())
    with pytest.raises(InputError, match="there is no MISSING to rotate"):
        versions.put_pending(value(NEW, "MISSING"), RUN)
    with pytest.raises(InputError, match="the new value of JWT_SECRET_KEY is the present one"):
        versions.put_pending(value(OLD), RUN)
    assert labels(reopened()) == {Label.CURRENT: OLD}


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
def test_an_awkward_value_comes_back_exactly(reopened: Open, text: str) -> None:
    versions = SecretVersions(reopened())
    versions.put_pending(value(text), RUN)
    assert labels(reopened()) == {Label.CURRENT: OLD, Label.PENDING: text}
    versions.promote([NAME], RUN)
    assert labels(reopened()) == {Label.CURRENT: text, Label.PREVIOUS: OLD}
    assert labels(reopened(), OTHER) == {Label.CURRENT: "stays"}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("'\"\\\n $%#=")), min_size=8, max_size=400))
def test_any_value_comes_back_exactly_or_is_refused_before_anything_is_put(reopened: Open, text: str) -> None:
    versions, run = SecretVersions(reopened()), secrets.token_hex(8)
    before = labels(reopened())
    try:
        versions.put_pending(value(text), run)
    except InputError as error:
        assert text.strip() not in str(error)
        assert labels(reopened()) == before
        return
    versions.promote([NAME], run)
    versions.retire([NAME], run)
    assert labels(reopened()) == {Label.CURRENT: text}


def test_every_value_is_made_known_before_it_is_used(reopened: Open) -> None:
    known: list[str] = []
    versions = SecretVersions(reopened(), known=lambda secret: known.append(secret.reveal()))
    versions.put_pending(value(NEW), RUN)
    assert {OLD, NEW} <= set(known)
    known.clear()
    versions.read(NAME)
    assert sorted(known) == sorted([OLD, NEW])
