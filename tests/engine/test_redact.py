from __future__ import annotations

import base64
import itertools
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret

AWKWARD = "abcXYZ0189+/=-_.~ \"'\\\n\t$%&@:€é鍵🔑{}`#"
ALPHABET = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("abcXYZ0189+/=-_.~ \"'\\\n\t$%&@:€é"),
)
ANY_SIZE = st.one_of(st.integers(8, 64), st.integers(65, 4096))
VALUES = st.one_of(
    st.text(ALPHABET, min_size=8, max_size=60),
    st.builds(
        lambda random, size: "".join(random.choices(AWKWARD, k=size)), st.randoms(use_true_random=False), ANY_SIZE
    ),
    st.binary(min_size=6, max_size=48).map(lambda raw: base64.b64encode(raw).decode()),
    st.builds(
        lambda random, size: base64.b64encode(random.randbytes(size)).decode()[:size],
        st.randoms(use_true_random=False),
        ANY_SIZE,
    ),
    st.builds(lambda part, times: part * times, st.text(ALPHABET, min_size=8, max_size=16), st.integers(1, 250)),
)


@st.composite
def families(draw: st.DrawFn) -> list[Secret]:
    """Secrets, some of which are a piece of another."""
    values = draw(st.lists(VALUES, min_size=1, max_size=3))
    longest = max(values, key=len)
    for _ in range(draw(st.integers(0, 3)) if len(longest) > 9 else 0):
        start = draw(st.integers(0, len(longest) - 8))
        values.append(longest[start : start + draw(st.integers(8, 30))])
    return [Secret(f"S{number}", value) for number, value in enumerate(values) if len(value) >= 8]


def written(value: str) -> dict[str, str]:
    """The encodings that a value meets on its way, each by the library that other programs use."""
    raw = value.encode()
    quoted = urllib.parse.quote(value, safe="")
    return {
        "raw": value,
        "url": quoted,
        "url, lower case": re.sub("%..", lambda match: match[0].lower(), quoted),
        "url, path": urllib.parse.quote(value),
        "form": urllib.parse.quote_plus(value),
        "json": json.dumps(value)[1:-1],
        "json, not ascii": json.dumps(value, ensure_ascii=False)[1:-1],
        "repr": repr(value)[1:-1],
        "repr beside a quote": repr('"' + value)[2:-1],
        "bytes": repr(raw)[2:-1],
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "dsn": f"postgresql://praviel:{quoted}@db.internal:5432/praviel?sslmode=require",
        **{f"base64 at {n}": base64.b64encode(b"x" * n + raw + b"tail").decode() for n in range(3)},
        **{f"base64url at {n}": base64.urlsafe_b64encode(b"x" * n + raw + b"tail").decode() for n in range(3)},
    }


def telling(value: str) -> Iterator[str]:
    """What must not be readable: the encodings, and of base64 what depends on the value alone."""
    for name, text in written(value).items():
        if name == "dsn":
            continue
        yield text if not name.startswith("base64") else text[4 : 4 * ((len(value.encode()) - 2) // 3)]


def assert_nothing_is_told(text: str, secrets: list[Secret]) -> None:
    for secret in secrets:
        for form in telling(secret.reveal()):
            assert len(form) < 8 or form not in text, f"{form!r} of {secret.name} can be read"


def chunks_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:stop] for start, stop in itertools.pairwise(places)]


@settings(max_examples=25)
@given(families(), st.lists(st.integers(0, 10_000), max_size=12), st.data())
def test_no_sink_tells_a_secret_in_any_encoding(secrets: list[Secret], cuts: list[int], data: st.DataObject) -> None:
    redactor = Redactor(secrets)
    chosen = data.draw(st.sampled_from(secrets))
    for encoded in written(chosen.reveal()).values():
        text = f"<< {encoded} | {encoded} >>"

        assert_nothing_is_told(redactor.text(text), secrets)
        assert_nothing_is_told("".join(redactor.stream(chunks_of(text, cuts))), secrets)
        clean = redactor.data({"deep": [{encoded: (text, 1, None, True)}]})
        assert_nothing_is_told(str(next(iter(clean["deep"][0]))), secrets)
        assert_nothing_is_told(clean["deep"][0].popitem()[1][0], secrets)


@pytest.mark.parametrize("value", ["pass'word-1", 'it\'s "quoted"\\ twice', "zeile\neins/zwei+drei=é€", "50%&a b~$1"])
def test_a_value_that_others_must_quote_is_masked_in_each_encoding(value: str) -> None:
    secrets = [Secret("AWKWARD", value)]
    for encoded in written(value).values():
        assert_nothing_is_told(Redactor(secrets).text(f"<{encoded}>"), secrets)
        assert "[AWKWARD]" in Redactor(secrets).text(f"<{encoded}>")


@settings(max_examples=25)
@given(families(), st.text("qwvj ,;!", max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_text_without_secrets_is_unchanged(secrets: list[Secret], text: str, cuts: list[int]) -> None:
    others = [secret for secret in secrets if not set(secret.reveal()) <= set("qwvj ,;!\n")]
    redactor = Redactor(others)
    if any(line.strip() in text for s in others for line in s.reveal().splitlines() if len(line.strip()) >= 8):
        return

    assert redactor.text(text) == text
    assert "".join(redactor.stream(chunks_of(text, cuts))) == text
    assert redactor.data({"a": [text, 1.5, None]}) == {"a": [text, 1.5, None]}


def test_a_secret_of_four_kibibytes_is_masked_across_chunks() -> None:
    value = "".join(chr(33 + place * 7 % 90) for place in range(4096))
    text = f"key={value};"

    assert "".join(Redactor([Secret("KEY", value)]).stream(chunks_of(text, list(range(0, 4100, 13))))) == "key=[KEY];"


def test_a_secret_that_begins_inside_another_is_masked_to_its_end() -> None:
    redactor = Redactor([Secret("SHORT", "aaaaaaaa12345678"), Secret("LONG", "12345678" + "z" * 40)])
    text = "aaaaaaaa12345678" + "z" * 40

    assert redactor.text(f"<{text}>") == "<[SHORT]>"
    assert "".join(redactor.stream(f"<{text}>")) == "<[SHORT]>"


def test_each_line_of_a_key_file_is_masked_alone() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----"

    assert Redactor([Secret("KEY", key)]).text("error near MIIEvQIBADANBgkqhkiG") == "error near [KEY]"


@pytest.mark.parametrize("between", ["\x1b[1;31m", "\0", "\u200b", "\x1b]0;title\x07"])
def test_a_value_is_masked_that_a_terminal_would_show_whole(between: str) -> None:
    redactor = Redactor([Secret("PASSWORD", "hidden-word-1")])

    assert redactor.text(f"said {between.join('hidden-word-1')} aloud") == "said [PASSWORD] aloud"
    assert redactor.text(f"{between}nothing") == f"{between}nothing"


def test_a_number_that_is_a_secret_is_masked_in_data() -> None:
    assert Redactor([Secret("PIN", "1234567890")]).data({"n": 1234567890, "m": 5}) == {"n": "[PIN]", "m": 5}


def test_a_short_secret_is_refused_and_none_of_its_company_is_added() -> None:
    redactor = Redactor()

    with pytest.raises(InputError, match="secret SHORT is shorter than 8 characters"):
        redactor.add(Secret("LONG", "long enough to mask"), Secret("SHORT", "1234567"))

    assert redactor.text("long enough to mask, 1234567") == "long enough to mask, 1234567"


def test_a_value_whose_bytes_are_no_utf8_is_masked() -> None:
    assert Redactor([Secret("RAW", "\udcff\udcfeabcdef")]).text("%FF%FEabcdef") == "[RAW]"


def test_a_secret_added_while_others_write_is_masked_from_then_on() -> None:
    redactor = Redactor([Secret("FIRST", "first-value-0")])
    over, errors = threading.Event(), []

    def write() -> None:
        while not over.is_set():
            try:
                redactor.text("first-value-0 and more")
            except Exception as error:
                errors.append(error)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for number in range(100):
        value = f"value-number-{number}"
        redactor.add(Secret(f"N{number}", value))
        assert value not in redactor.text(f"said {value} aloud")
    over.set()
    for writer in writers:
        writer.join()
    assert errors == []
