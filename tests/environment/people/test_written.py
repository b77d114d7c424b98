"""What people wrote down is read strictly: a slip is one error that names the file, the line and the key."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.environment.load import load
from runbooks.environment.people.oncall import gaps
from runbooks.environment.people.statements import Items
from runbooks.environment.people.written import Written, read_all
from tests.environment.inventories import SMALL, inventory_with

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
ITEMS = Items(
    known={"support.discord", "scaling.horizontal-known", "cost.known"},
    attestable={"scaling.horizontal-known"},
    gates={"cost.known"},
)
EXAMPLE = Path(__file__).parents[3] / "inventory" / "example"
FILES = ("attestations.toml", "waivers.toml", "costs.toml", "oncall.toml", "announcements.toml")

ATTESTATION = """\
[[attestation]]
item = "scaling.horizontal-known"
statement = "replicas are added in the console"
by = "ada"
on = 2026-05-01
expires = 2027-05-01
evidence = "https://wiki.example.org/scaling"
"""
WAIVER = """\
[[waiver]]
item = "support.discord"
reason = "moves"
owner = "ada"
on = 2026-05-01
until = 2026-06-30
"""
COSTS = """\
currency = "EUR"
[hosting]
monthly = 20
on = 2026-05-01
source = "bill"
"""
ROTA = """\
[[person]]
name = "Ada"
contact = "ada@example.org"
[[shift]]
person = "Ada"
begins = 2026-05-31T08:00:00Z
ends = 2026-06-07T08:00:00+02:00
"""
CHANNEL = """\
[[channel]]
name = "status"
webhook = { secret = "HOOK" }
"""
VALID = dict(zip(FILES, (ATTESTATION, WAIVER, COSTS, ROTA, CHANNEL), strict=True))


def read(root: Path, **files: str) -> Written:
    """The files of an environment; the names have no ending here."""
    inventory = inventory_with(root, production=SMALL)
    for name, text in files.items():
        (inventory / "production" / f"{name}.toml").write_text(text)
    return read_all(load(inventory, "production"), ITEMS, NOW)


def refused(root: Path, name: str, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(root, **{name.removesuffix(".toml"): text})
    assert caught.value.exit_code == 2
    return caught.value


def test_an_environment_without_any_of_them_has_said_nothing(tmp_path: Path) -> None:
    written = read(tmp_path)

    assert (written.attestations.attestation, written.waivers.waiver) == ((), ())
    assert (written.costs, written.on_call, written.announcements) == (None, None, None)


def test_all_five_are_read(tmp_path: Path) -> None:
    written = read(tmp_path, **{name.removesuffix(".toml"): text for name, text in VALID.items()})

    assert written.attestations.attestation[0].expires == date(2027, 5, 1)
    assert written.waivers.waiver[0].owner == "ada"
    assert written.costs
    assert written.costs.hosting
    assert written.costs.hosting.monthly == 20
    assert written.on_call
    assert written.on_call.shift[0].begins == datetime(2026, 5, 31, 8, tzinfo=UTC)
    assert written.announcements
    assert written.announcements.channel[0].name == "status"


@pytest.mark.parametrize("name", FILES)
def test_the_example_of_each_is_commented_out_and_holds_when_it_is_not(tmp_path: Path, name: str) -> None:
    text = (EXAMPLE / name).read_text()
    assert all(line.startswith("#") or not line for line in text.splitlines())

    _, _, example = text.partition("\n\n")
    uncommented = re.sub(r"^# ?", "", example, flags=re.MULTILINE)

    read(tmp_path, **{name.removesuffix(".toml"): uncommented})


# The file, what of it is replaced, by what, the line of the error, and words that it must hold.
CASES = [
    pytest.param("attestations.toml", 'by = "ada"', 'bye = "ada"', 4, ["attestation.bye", "mean 'attestation.by'"]),
    pytest.param("attestations.toml", 'by = "ada"\n', "", 1, ["missing key 'attestation.by'"]),
    pytest.param("attestations.toml", "on = 2026-05-01", 'on = "2026-05-01"', 5, ["a date without quotes", "a text"]),
    pytest.param("attestations.toml", "on = 2026-05-01", "on = 2026-05-01T08:00:00Z", 5, ["a date without quotes"]),
    pytest.param("attestations.toml", "on = 2026-05-01", "on = 2026-02-30", 5, ["is not TOML"]),
    pytest.param("attestations.toml", 'by = "ada"', "by = 2026-05-01", 4, ["a text in quotes", "a date or time"]),
    pytest.param("attestations.toml", "scaling.horizontal-known", "scaling.horizontl-known", 2, ["did you mean"]),
    pytest.param("attestations.toml", "scaling.horizontal-known", "support.discord", 2, ["can't be attested"]),
    pytest.param("attestations.toml", "on = 2026-05-01", "on = 2026-06-02", 5, ["'on' is in the future"]),
    pytest.param("attestations.toml", "expires = 2027-05-01", "expires = 2027-05-03", 6, ["more than 366 days"]),
    pytest.param("attestations.toml", "expires = 2027-05-01", "expires = 2026-04-30", 6, ["'expires' is before 'on'"]),
    pytest.param("attestations.toml", 'by = "ada"', 'by = ""', 4, ["'attestation.by' is empty"]),
    pytest.param("attestations.toml", "[[attestation]]", "[attestation]", 1, ["must be a list of tables"]),
    pytest.param("attestations.toml", "[[attestation]]", "[[atestation]]", 1, ["mean 'attestation'?"]),
    pytest.param("attestations.toml", 'by = "ada"', 'by = "ada', 4, ["is not TOML", "column"]),
    pytest.param("waivers.toml", "support.discord", "support.disco", 2, ["did you mean 'support.discord'?"]),
    pytest.param("waivers.toml", "support.discord", "cost.known", 2, ["sums up other items"]),
    pytest.param("waivers.toml", "until = 2026-06-30", "until = 2026-07-31", 6, ["more than 90 days", "2026-07-30 at"]),
    pytest.param("waivers.toml", "until = 2026-06-30", "until = 2026-04-01", 6, ["'until' is before 'on'"]),
    pytest.param("costs.toml", '"EUR"', '"euro"', 1, ["three capital letters"]),
    pytest.param("costs.toml", "monthly = 20", "monthly = -1", 3, ["0 or more"]),
    pytest.param("costs.toml", "monthly = 20", "monthly = nan", 3, ["0 or more"]),
    pytest.param("costs.toml", "monthly = 20", 'monthly = "20"', 3, ["'hosting.monthly' must be a number"]),
    pytest.param("costs.toml", "on = 2026-05-01", "on = 2026-06-30", 4, ["in the future"]),
    pytest.param("costs.toml", "[hosting]", "[hostng]", 2, ["mean 'hosting'?"]),
    pytest.param("oncall.toml", 'person = "Ada"', 'person = "Ad"', 5, ["there is no person 'Ad'"]),
    pytest.param("oncall.toml", "08:00:00+02:00", "08:00:00", 7, ["a time with its offset"]),
    pytest.param("oncall.toml", "2026-06-07T", "2026-05-07T", 7, ["ends before it begins"]),
    pytest.param("oncall.toml", "[[shift]]", '[[person]]\nname = "Ada"\n[[shift]]', 2, ["two people are called"]),
    pytest.param("announcements.toml", '{ secret = "HOOK" }', '"https://x/hunter2"', 3, ["holds a secret", "HOOK"]),
    pytest.param("announcements.toml", 'webhook = { secret = "HOOK" }', "", 2, ["either", "neither"]),
    pytest.param("announcements.toml", "webhook", 'page = "https://a"\nwebhook', 2, ["either", "both"]),
]


@pytest.mark.parametrize(("name", "part", "replacement", "line", "words"), CASES)
def test_a_slip_is_named_with_its_line(
    tmp_path: Path, name: str, part: str, replacement: str, line: int, words: list[str]
) -> None:
    assert part in VALID[name]

    error = refused(tmp_path, name, VALID[name].replace(part, replacement, 1))

    assert error.where.split(",")[0] == f"inventory/production/{name}:{line}"
    assert error.mend
    assert "hunter2" not in str(error)
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_and_bytes_in_place_of_text_are_refused(tmp_path: Path, name: str) -> None:
    inventory = inventory_with(tmp_path, production=SMALL)
    environment = load(inventory, "production")
    file = inventory / "production" / name

    file.mkdir()
    with pytest.raises(InputError, match="must be a file"):
        read_all(environment, ITEMS, NOW)
    file.rmdir()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_all(environment, ITEMS, NOW)


def test_they_may_be_kept_in_another_folder(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production=f'{SMALL}\n[people]\nfolder = "../../elsewhere"\n')
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "costs.toml").write_text("currency = 5")

    with pytest.raises(InputError) as caught:
        read_all(load(inventory, "production"), ITEMS, NOW)

    assert caught.value.where == "elsewhere/costs.toml:1"


def test_gaps_of_a_rota_are_found_however_its_shifts_overlap(tmp_path: Path) -> None:
    begin, end = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC)
    shifts = [("2026-05-30", "2026-06-02"), ("2026-06-01", "2026-06-03"), ("2026-06-04", "2026-06-07")]
    text = '[[person]]\nname = "Ada"\n' + "".join(
        f'[[shift]]\nperson = "Ada"\nbegins = {first}T00:00:00Z\nends = {last}T00:00:00Z\n' for first, last in shifts
    )
    written = read(tmp_path, oncall=text)
    assert written.on_call

    found = [(first.day, last.day) for first, last in gaps(written.on_call.shift, begin, end)]

    assert found == [(3, 4), (7, 8)]
