"""A copy of the variables exists when it is whole, is read by its key's holder only, and tells changes by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyrage
import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.fingerprint import keyed
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.variables.copies import SEALED, Copies, Copy, new_id

RUN = "20261128T090000.123Z-variables.backup-k3f9"
KEY = pyrage.x25519.Identity.generate()
VALUES = {
    "ENCRYPTION_KEY": "an-encryption-key-of-some-length",
    "ODD": "quote\" line\n$HOME % ü \\ '",
    "SAME": "twice",
    "TWIN": "twice",
}


def secrets_of(values: Mapping[str, str]) -> dict[str, Secret]:
    return {name: Secret(name, value) for name, value in values.items()}


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(FolderStore(tmp_path))


def put(copies: Copies, values: Mapping[str, str] = VALUES, *, run: str = RUN, key: str = "k" * 20) -> Copy:
    return copies.put(
        secrets_of(values),
        id=new_id(run),
        run=run,
        environment="shop",
        release="c0ffee",
        keys=(str(KEY.to_public()),),
        fingerprint=keyed(Secret("key", key)),
    )


def test_it_reads_back_exactly_as_it_was(copies: Copies) -> None:
    assert copies.read(put(copies), KEY) == secrets_of(VALUES)


def test_nothing_of_a_value_lies_in_the_store(copies: Copies, tmp_path: Path) -> None:
    put(copies)

    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert b"ENCRYPTION_KEY" in stored, "names do"
    assert [
        value for value in VALUES.values() if value.encode() in stored or json.dumps(value).encode() in stored
    ] == []


def test_equal_values_of_two_variables_have_different_fingerprints(copies: Copies) -> None:
    fingerprints = put(copies).fingerprints

    assert fingerprints["SAME"] != fingerprints["TWIN"]


def test_a_run_makes_it_once(copies: Copies) -> None:
    first = put(copies)

    assert put(copies) == first
    assert copies.ids() == [first.id]


def test_a_run_does_not_replace_it_by_other_variables(copies: Copies) -> None:
    put(copies)

    with pytest.raises(SystemFault, match="another copy of variables has this id"):
        put(copies, {"OTHER": "variables"})


def test_what_a_killed_run_left_is_no_copy_and_is_written_over(copies: Copies) -> None:
    copies.store.put(f"variables/{new_id(RUN)}/{SEALED}", b"half", replaces=None)

    assert copies.newest() is None
    assert copies.read(put(copies), KEY) == secrets_of(VALUES)


def test_another_key_can_not_read_it(copies: Copies) -> None:
    copy = put(copies)

    with pytest.raises(SystemFault, match="can't be decrypted"):
        copies.read(copy, pyrage.x25519.Identity.generate())


def test_one_changed_byte_is_noticed(copies: Copies, tmp_path: Path) -> None:
    copy = put(copies)
    file = tmp_path / "variables" / copy.id / SEALED
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    with pytest.raises(SystemFault, match="is damaged"):
        copies.read(copy, KEY)


def test_the_newest_and_that_of_a_release_are_found(copies: Copies) -> None:
    older, newer = put(copies), put(copies, run=RUN.replace("0900", "0901").replace("k3f9", "aaaa"))

    assert copies.newest() == newer
    assert copies.of_release("c0ffee") == newer
    assert copies.of_release("another") is None
    assert copies.find("k3f9") == older


def test_without_anybody_to_encrypt_to_nothing_is_copied(copies: Copies) -> None:
    with pytest.raises(InputError, match="nobody to encrypt the variables to") as caught:
        copies.put(
            secrets_of(VALUES),
            id="x",
            run=RUN,
            environment="shop",
            release=None,
            keys=(),
            fingerprint=keyed(Secret("k", "k")),
        )

    assert "age-keygen" in caught.value.mend
    assert copies.ids() == []
