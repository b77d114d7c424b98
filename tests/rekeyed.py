"""A vault whose users' keys were put under a new ENCRYPTION_KEY after a snapshot, as a rotation does it."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyrage
from cryptography.fernet import Fernet

from runbooks import command
from runbooks.engine.secret import Secret
from runbooks.options import Options
from runbooks.steps.reencryption import Reencryption
from tests.keyrings import RUN, TABLES, Keyring
from tests.plain_vaults import PlainVault

KEY = "ENCRYPTION_KEY"
ROWS = 30


@dataclass
class Rotated:
    """The vault, with the rows under the key that its variables hold."""

    vault: PlainVault

    @classmethod
    def of(cls, vault: PlainVault) -> Rotated:
        """Under a first key; copies of the variables can be made."""
        identity = pyrage.x25519.Identity.generate()
        vault.backup += f'\nrecipients = ["{identity.to_public()}"]\nidentity = {{ secret = "AGE_IDENTITY" }}'
        vault.secrets |= {"AGE_IDENTITY": str(identity), "FINGERPRINT_KEY": "a-key-for-fingerprints"}
        made = cls(vault)
        made.now(Fernet.generate_key().decode())
        vault.execute(TABLES)
        made.ring().fill(ROWS, deleted=2)
        return made

    @property
    def key(self) -> str:
        return self.vault.variables[KEY]

    def now(self, key: str) -> None:
        """The application has this key from here on."""
        self.vault.variables[KEY] = key
        self.vault.write()

    def ring(self, database: str | None = None) -> Keyring:
        """The rows of the live database, or of another one."""
        url = self.vault.access.to(database or self.vault.database).url.reveal()
        return Keyring(url, self.key, Fernet.generate_key().decode())

    def copied(self) -> None:
        """A copy of the variables of now is made."""
        stream = io.StringIO()
        found = command.start("variables.backup", Options(environment=self.vault.name, stream=stream))
        assert found == 0, stream.getvalue()

    def rotate(self) -> str:
        """Every row moves to a new key, which the application then has; the key before is returned."""
        ring, old = self.ring(), self.key
        made = Reencryption.of(ring.access, RUN, Secret(KEY, ring.old), Secret(KEY, ring.new))
        made.encrypt(threading.Event())
        made.swap()
        made.forget()
        self.now(ring.new)
        return old

    def values(self, database: str | None = None) -> Mapping[tuple[int, str], str]:
        """What the application of now would read; ``!`` where it could not."""
        return self.ring(database).values(self.key)

    def resume(self, *, code: int = 0, abort: bool = False) -> str:
        """``runs.resume`` or ``runs.abort`` of the newest run, in this process: what was printed."""
        run = max(path.name for path in (self.vault.project / "var" / "runs" / self.vault.name).iterdir())
        stream = io.StringIO()
        found = command.resume(run, replace(Options(environment=self.vault.name), stream=stream), abort=abort)
        assert found == code, stream.getvalue()
        return stream.getvalue()
