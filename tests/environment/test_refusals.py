"""A wrong inventory file is refused with one error that names the file, the line, the key and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.engine.errors import InputError
from runbooks.environment import shape
from runbooks.environment.load import load
from tests.environment.inventories import SMALL, damaged, inventory_with

IMAP = '[inbox]\nkind = "imap"\nhost = "a"\nuser = "b"'
URL = 'url = "https://api.example.org"'
DATABASE = 'url = { variable = "DATABASE_URL" }'
DOTENV = 'source = "dotenv"'

# Line to damage, what it becomes, the line of the error, and words that the error must hold.
CASES = [
    # misspelt keys
    pytest.param("[database]", "[databse]", 12, ["unknown key 'databse'", "did you mean 'database'?"], id="table"),
    pytest.param(
        "schema = 1",
        'schema = 1\ndatabse.url = "x"',
        2,
        ["unknown key 'databse.url'", "did you mean 'database.url'?"],
        id="dotted",
    ),
    pytest.param(URL, URL.replace("url", "urll"), 5, ["'application.urll'", "mean 'application.url'?"], id="key"),
    pytest.param(
        "attempts = 2",
        "timeout_second = 2",
        23,
        ["mean 'checks.timeout_seconds'?"],
        id="the table's own key is nearer",
    ),
    pytest.param(
        "attempts = 2",
        'description = "x"',
        23,
        ["'checks.description'", "mean 'description'?"],
        id="wrong table",
    ),
    pytest.param("schema = 1", "schema = 1\nzzz = 1", 2, ["unknown key 'zzz'", "remove it"], id="nothing near"),
    # missing keys
    pytest.param("schema = 1", "", 1, ["missing key 'schema'"], id="no schema"),
    pytest.param(URL, "", 4, ["missing key 'application.url'", "add 'application.url'"], id="no url"),
    pytest.param("[platform]", "[store]", 1, ["missing key 'platform.kind'"], id="no platform"),
    pytest.param('kind = "railway"', "", 19, ["missing key 'platform.kind'", "'hosts', 'railway'"], id="no kind"),
    pytest.param('path = "variables.env"', "", 8, ["'variables.path'", "dotenv"], id="dotenv without path"),
    pytest.param(DOTENV, 'source = "command"', 8, ["missing key 'variables.command'"], id="no command"),
    # wrong types
    pytest.param("schema = 1", "schema = 2", 1, ["'schema' must be 1", "the number 2"], id="another schema"),
    pytest.param("attempts = 2", 'attempts = "2"', 23, ["a whole number", "found: a text"], id="text for number"),
    pytest.param("attempts = 2", "attempts = true", 23, ["a whole number", "found: true"], id="truth for number"),
    pytest.param("attempts = 2", "attempts = 2.0", 23, ["a whole number", "the number 2.0"], id="fraction"),
    pytest.param("attempts = 2", "attempts = 2001-02-03", 23, ["a date or time"], id="date for number"),
    pytest.param("[checks]", "[checks]\ntimeout_seconds = nan", 23, ["above 0", "nan"], id="not a number"),
    pytest.param("schema = 1", 'schema = 1\nprotected = "no"', 2, ["true or false"], id="text for truth"),
    pytest.param(URL, "url = 5", 5, ["{ secret =", "the number 5"], id="number for value"),
    pytest.param(URL, 'url = { secrt = "A" }', 5, ["a table with secrt", "mean 'secret'?"], id="misspelt reference"),
    pytest.param(URL, 'url = { secret = "A", variable = "B" }', 5, ["secret, variable"], id="two references"),
    pytest.param(URL, 'url = { secret = "A B" }', 5, ["'application.url' must name"], id="not a name"),
    pytest.param("[redis]", "redis = 5\n[store]", 16, ["unknown key 'database.redis'"], id="key after a table"),
    # misspelt words
    pytest.param('reach = "direct"', 'reach = "drect"', 14, ["'database.reach'", "mean 'direct'?"], id="reach"),
    pytest.param('kind = "railway"', 'kind = "Railway"', 20, ["'platform.kind'", "mean 'railway'?"], id="kind"),
    pytest.param(DOTENV, 'source = "dotevn"', 9, ["'variables.source'", "mean 'dotenv'?"], id="source"),
    # contradictions
    pytest.param("schema = 1", "schema = 1\nsandbox = true", 2, ["only local and local-staging"], id="sandbox"),
    pytest.param(DOTENV, f'{DOTENV}\ncommand = ["x"]', 10, ["'variables.command' has no use"], id="command"),
    pytest.param(DOTENV, 'source = "command"\ncommand = []', 10, ["'variables.command' is empty"], id="empty command"),
    pytest.param("[checks]", "[checks]\nconcurrency_per_target = 0", 23, ["at least 1"], id="no concurrency"),
    pytest.param('kind = "railway"', 'kind = "hosts"\nslots = 3', 21, ["'platform.slots' must be 1 or 2"], id="slots"),
    pytest.param(
        "[checks]",
        '[fingerprints]\npeers = ["production"]\n[checks]',
        23,
        ["the environment itself"],
        id="own peer",
    ),
    pytest.param(
        "[checks]",
        '[fingerprints]\npeers = ["stagin"]\n[checks]',
        23,
        ["does not exist", "mean 'staging'?"],
        id="unknown peer",
    ),
    pytest.param("[checks]", '[fingerprints]\npeers = ["example"]\n[checks]', 23, ["not exist"], id="example as peer"),
    pytest.param(
        'test_email_domain = "checks.example.org"',
        'test_email_domain = "me@example.org"',
        6,
        ["'application.test_email_domain'", "without '@'"],
        id="an address for a domain",
    ),
    pytest.param(URL, f'{URL}\nca_file = "ca.pem"', 6, ["'application.ca_file'", "not there"], id="no ca file"),
    pytest.param(URL, 'url = "http://a"\nca_file = "ca.pem"', 6, ["no use with an http URL"], id="http and ca"),
    pytest.param(URL, 'url = "ftp://api.example.org"', 5, ["https://", "another beginning"], id="ftp"),
    pytest.param(URL, 'url = "https://"', 5, ["no host in it"], id="no host"),
    pytest.param(URL, 'url = "https://a:port"', 5, ["not a URL"], id="bad port"),
    pytest.param(URL, 'url = "https://[a"', 5, ["not a URL"], id="bad address"),
    pytest.param(URL, 'url = "https://a/?b=c"', 5, ["a query"], id="query"),
    pytest.param(URL, 'url = "https://a b"', 5, ["a blank"], id="blank"),
    pytest.param("[checks]", '[dns]\nservers = ["dns.a.org"]\n[checks]', 23, ["'dns.servers'", "9.9.9.9"], id="dns"),
    pytest.param("[checks]", "[dns]\nservers = [5]\n[checks]", 23, ["'dns.servers' must be a list"], id="dns number"),
    pytest.param(
        "[checks]", '[frontend]\norigins = ["https://a.org/x"]\n[checks]', 23, ["as a browser sends"], id="no origin"
    ),
    pytest.param(
        "[checks]", '[domain]\npoints_to = ["https://a.org"]\n[checks]', 23, ["without a scheme"], id="not a name"
    ),
    pytest.param("[checks]", '[domain]\nplain_url = "https://a"\n[checks]', 23, ["'domain.plain_url'"], id="not plain"),
    pytest.param(
        'reach = "direct"',
        'roles = { owner = "a", logins = ["a", "b"] }',
        14,
        ["'database.roles' needs an owner and two logins", "owner a, logins a, b"],
        id="roles that take turns",
    ),
    pytest.param('reach = "direct"', 'networks = ["10.0.0.1/8"]', 14, ["'database.networks'", "10.0.0.0/8"], id="net"),
    pytest.param(URL, 'url = ""', 5, ["'application.url' is empty"], id="empty url"),
    pytest.param(
        "[checks]",
        '[providers.openai]\nadmin_key = "sk-admin-1"\n[checks]',
        23,
        ["'providers.openai.admin_key' is a secret"],
        id="an administrator's key",
    ),
    pytest.param("[checks]", '[mail]\nadmin_key = "k"\n[checks]', 23, ["'mail.admin_key' is a secret"], id="mail's"),
    pytest.param("[checks]", '[mail]\ndomain = "a@b.org"\n[checks]', 23, ["'mail.domain' must be"], id="mail domain"),
    pytest.param("[checks]", '[mail]\nurl = "api.eu"\n[checks]', 23, ["'mail.url' must be a URL"], id="mail url"),
    pytest.param(
        "[checks]",
        "[providers.anthropic]\nmonthly_budget_usd = 0\n[checks]",
        23,
        ["'providers.anthropic.monthly_budget_usd' must be above 0", "the number 0"],
        id="no budget",
    ),
    pytest.param(
        "[checks]",
        '[providers.google]\nurl = "ftp://x"\n[checks]',
        23,
        ["'providers.google.url'", "https://"],
        id="provider url",
    ),
    pytest.param('path = "variables.env"', 'path = "a\\u0000b"', 10, ["a zero byte"], id="zero byte"),
    pytest.param("[checks]", '[store]\nbucket = "b"\nfolder = "x"\n[checks]', 24, ["not both"], id="two stores"),
    pytest.param("[checks]", '[store]\nprefix = "x"\n[checks]', 23, ["'store.prefix' has no use"], id="prefix alone"),
    pytest.param(
        "[checks]",
        '[secret_store]\nprefix = "x"\n[checks]',
        23,
        ["'secret_store.prefix' has no use", 'kind = "dotenv"', 'set kind = "secrets-manager"'],
        id="secrets in a file with a prefix",
    ),
    pytest.param(
        "[checks]",
        '[secret_store]\nkind = "secrets-manager"\naccess_key = "x"\n[checks]',
        22,
        ["'secret_store.secret_key' is missing"],
        id="half an account of a secret store",
    ),
    pytest.param(
        "[checks]",
        '[secret_store]\nkind = "secrets-manager"\naccess_key = "x"\nsecret_key = "y"\n[checks]',
        25,
        ["only named in the inventory"],
        id="a secret store's key in clear",
    ),
    pytest.param(
        "[checks]",
        '[store]\nbucket = "b"\naccess_key = "x"\n[checks]',
        22,
        ["'store.secret_key' is missing"],
        id="half an account",
    ),
    pytest.param("[checks]", '[inbox]\nkind = "imap"\n[checks]', 22, ["'inbox.host' for kind"], id="imap alone"),
    pytest.param("[checks]", '[inbox]\nkind = "pop"\n[checks]', 23, ["'inbox.kind'", "'stand-in'"], id="inbox kind"),
    pytest.param(
        "[checks]",
        '[inbox]\nkind = "stand-in"\nurl = "http://a"\nhost = "b"\n[checks]',
        25,
        ["'inbox.host' has no use"],
        id="stand-in with a host",
    ),
    pytest.param(
        "[checks]",
        f'{IMAP}\npassword = "hunter22"\n[checks]',
        26,
        ["'inbox.password' holds a secret"],
        id="password",
    ),
    pytest.param(
        "[checks]",
        f'{IMAP}\npassword = {{ secret = "A" }}\nport = 0\n[checks]',
        27,
        ["'inbox.port'", "1 to 65535"],
        id="mail port",
    ),
    pytest.param(
        "[checks]",
        f'{IMAP}\npassword = {{ secret = "A" }}\nwait_seconds = 20\n[checks]',
        22,
        ["'inbox.delivery_budget_seconds'", "within"],
        id="impatient inbox",
    ),
    pytest.param("[checks]", "[content.rows]\ntoken = -1\n[checks]", 23, ["'content.rows.token'"], id="below 0"),
    pytest.param("[checks]", '[store]\nfolder = ""\n[checks]', 23, ["'store.folder' is empty"], id="empty folder"),
]


def refusal(inventory: Path, name: str = "production") -> InputError:
    with pytest.raises(InputError) as caught:
        load(inventory, name)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(("line", "replacement", "at", "words"), CASES)
def test_a_damaged_line_is_named_with_its_key_and_what_to_do(
    tmp_path: Path, line: str, replacement: str, at: int, words: list[str]
) -> None:
    inventory = inventory_with(tmp_path, production=damaged(line, replacement), staging=SMALL, example=SMALL)
    error = refusal(inventory)
    assert error.where == f"inventory/production/environment.toml:{at}"
    assert error.mend
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize(
    ("line", "key", "text"),
    [
        (URL, "application.url", "https://user:hunter2-hunter2@api.example.org"),
        (URL, "application.url", "https://hunter2-hunter2@api.example.org"),
        (DATABASE, "database.url", "postgresql://user:hunter2-hunter2@db/app"),
        (DATABASE, "database.url", "postgresql://db/app?password=hunter2-hunter2"),
        (DATABASE, "database.url", "host=db password=hunter2-hunter2"),
        ('url = { variable = "REDIS_URL" }', "redis.url", "redis://:hunter2-hunter2@cache"),
        ("attempts = 2", "checks.attempts", "hunter2-hunter2"),
        ("[checks]", "fingerprints.key", "hunter2-hunter2"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, line: str, key: str, text: str) -> None:
    table, leaf = key.split(".")
    replacement = f'{leaf} = "{text}"' if line != "[checks]" else f'[{table}]\n{leaf} = "{text}"\n[checks]'
    error = refusal(inventory_with(tmp_path, production=damaged(line, replacement)))
    assert key in str(error)
    assert "hunter2" not in str(error)


def test_a_sandbox_can_not_be_protected(tmp_path: Path) -> None:
    text = damaged("schema = 1", "schema = 1\nsandbox = true")
    error = refusal(inventory_with(tmp_path, local=text), "local")
    assert "a sandbox can't be protected" in str(error)
    assert "set protected = false" in error.mend


def test_the_environment_of_a_bare_command_must_be_a_sandbox(tmp_path: Path) -> None:
    error = refusal(inventory_with(tmp_path, local=SMALL), "local")
    assert "'local' must be a sandbox" in str(error)


def test_of_several_problems_the_first_by_line_is_shown_and_the_rest_counted(tmp_path: Path) -> None:
    text = damaged("attempts = 2", "attempts = false\nzzz = 1").replace('reach = "direct"', "reach = 5")
    error = refusal(inventory_with(tmp_path, production=text))
    assert error.where.endswith(":14")
    assert "'database.reach'" in error.what
    assert "(and 2 more in this file)" in error.what


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", ":1", "empty"),
        ("# nothing yet\n\n", ":1", "empty"),
        ("schema = 1\nkey =\n", ":2, column 6", "Invalid value"),
        ("schema 1\n", ":1, column 8", "Expected '='"),
        ('schema = 1\n[a]\nb = "x', ":3", "end of"),
        ("a = 1\na = 2\n", ":2, column 6", "Cannot overwrite"),
        ("a = 2001-02-31\n", ":1, column 5", "Invalid date"),
        (f"a = {'[' * 5000}", ":1", "nested too deeply"),
        (f"a = {'9' * 5000}", ":1", "digits"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_with_line_and_column(
    tmp_path: Path, text: str, where: str, words: str
) -> None:
    error = refusal(inventory_with(tmp_path, production=text))
    assert error.where == f"inventory/production/environment.toml{where}"
    assert words in str(error)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production="")
    (inventory / "production" / "environment.toml").write_bytes(b"schema = 1\n# caf\xe9\n")
    error = refusal(inventory)
    assert error.where.endswith("environment.toml:2")
    assert "0xe9" in error.found


def test_a_folder_or_pipe_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production="", staging="")
    for name in ("production", "staging"):
        (inventory / name / "environment.toml").unlink()
    (inventory / "production" / "environment.toml").mkdir()
    os.mkfifo(inventory / "staging" / "environment.toml")
    assert "must be a file" in refusal(inventory).what
    assert "must be a file" in refusal(inventory, "staging").what


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = inventory_with(tmp_path, production=SMALL)

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    # Root reads every file, so the refusal itself is put in place of the mode.
    monkeypatch.setattr(Path, "read_bytes", denied)
    error = refusal(inventory)
    assert error.found == "Permission denied"
    assert "chmod u+r inventory/production/environment.toml" in error.mend


def test_a_missing_environment_lists_those_that_exist(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, production=SMALL, staging=SMALL, example=SMALL)
    error = refusal(inventory, "prodction")
    assert "environments: production, staging" in error.found
    assert error.mend == "did you mean 'production'?"


def test_a_folder_without_its_file_says_how_to_make_it(tmp_path: Path) -> None:
    inventory = inventory_with(tmp_path, staging=SMALL)
    (inventory / "production").mkdir()
    error = refusal(inventory)
    assert "has no environment.toml" in error.what
    assert "cp inventory/example/environment.toml inventory/production/environment.toml" in error.mend


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(shape.known_keys()), ANYTHING)
def test_whatever_stands_at_a_key_is_accepted_or_told_as_a_problem(key: str, value: object) -> None:
    data: dict[str, object] = {
        "schema": 1,
        "application": {"url": "https://a"},
        "variables": {"source": "environment"},
        "platform": {"kind": "hosts"},
    }
    *tables, leaf = key.split(".")
    at = data
    for table in tables:
        inner = at.setdefault(table, {})
        assert isinstance(inner, dict)
        at = inner
    at[leaf] = value
    outcome = shape.declaration(data, {})
    if isinstance(outcome, tuple):
        assert outcome
        assert all(problem.what and problem.mend for problem in outcome)
