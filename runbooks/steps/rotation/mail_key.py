"""A key at the provider that sends the application's mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.checks.email_sender import DEFAULTS, FROM, domain_of
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.steps.rotation.kind import Change
from runbooks.steps.rotation.vendor_key import VendorKey
from runbooks.systems.providers.api import NotAllowed

PROVIDER, MAILGUN_DOMAIN = "EMAIL_PROVIDER", "MAILGUN_DOMAIN"


@dataclass
class MailKey(VendorKey):
    """See `VendorKey`. The provider tells whether mail from the application's domain would go out with the key."""

    def look(self, _current: Mapping[str, Secret]) -> str:
        sends = self.site.variable(PROVIDER)
        if sends != self.vendor:
            raise InputError(
                f"the application does not send with {self.vendor}, so a key of it can't be tried",
                where=PROVIDER,
                found=str(sends),
                mend=f"rotate the key of {sends}; or replace this one by hand",
            )
        return f"the application sends with {self.vendor}, from {self._domain}"

    def use(self, key: Secret) -> str:
        domain, variables = self._domain, {**self.site.variables, **self.values_of(key)}
        try:
            sending = self.site.vendors.mail(self.vendor, variables).sending(domain)
        except NotAllowed:
            return f"{self.vendor} accepts it, and shows it no domains"
        if sending.problems:
            raise SystemFault(
                f"mail from {domain} would not go out with this key",
                reason=Reason.REFUSED,
                where=self.vendor,
                found="; ".join(sending.problems),
                mend="invoke release.verify --only email.provider-key-accepted",
            )
        return f"{self.vendor} accepts it: {sending.seen}"

    def prove(self, change: Change) -> str:
        """No page of the application tells that mail goes out; a mail to somebody would, and is a check of its own."""
        check = "invoke release.verify --only email.password-reset-works"
        return f"it was started with it; {self.use(self.key_in(change.new))}; to have a mail sent: {check}"

    @property
    def _domain(self) -> str:
        own = self.site.variable(MAILGUN_DOMAIN) if self.vendor == "mailgun" else None
        domain = own or domain_of(self.site.variable(FROM) or DEFAULTS[FROM])
        if not domain:
            raise InputError(f"{FROM} is no address, so it can't be told what to send from", where=FROM)
        return domain
