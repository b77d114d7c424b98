"""An access key of AWS that the application sends mail with: two values, which are one key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.steps.rotation.mail_key import MailKey

ID, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"

_PAIR = re.compile(r"(?P<id>[A-Z0-9]{8,128}):(?P<secret>[A-Za-z0-9/+=]{8,})")
"""How an operator gives both; neither can hold a colon."""


@dataclass
class SesKey(MailKey):
    """See `VendorKey`. SES can't be asked who has used a key, and makes none: that is IAM's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.names = (ID, SECRET)

    def plan(self) -> Iterator[str]:
        yield from super().plan()
        yield f"it is given in one line: {ID}:{SECRET}"

    def key_in(self, values: Mapping[str, Secret]) -> Secret:
        return Secret(ID, f"{values[ID].reveal()}:{values[SECRET].reveal()}")

    def values_of(self, key: Secret) -> Mapping[str, Secret]:
        found = _PAIR.fullmatch(key.reveal())
        if found is None:
            raise InputError(
                "what was given is no access key of AWS", where=ID, mend=f"give both parts in one line: {ID}:{SECRET}"
            )
        parts = {ID: Secret(ID, found["id"]), SECRET: Secret(SECRET, found["secret"])}
        for each in parts.values():
            self.site.mask(each)
        return parts
