"""The 131 items of the operators' production checklist, in its order, in our own words.

A check takes its number and section from here, so none can be dropped or renumbered unseen; a test compares this list
with the document.
"""

from __future__ import annotations

from dataclasses import dataclass

GATED = ("Security", "Database & Infrastructure", "Performance", "Deployment", "Testing")
"""Sections that must hold nothing failed or unknown before a release goes live (the document's boxes 132 to 136)."""

FINAL = "Final Verification Command"
"""The document's closing section: three probes without boxes of their own."""


@dataclass(frozen=True)
class Item:
    """One box of the document."""

    number: int
    id: str
    section: str
    title: str


_LISTED = {
    "Security": """
        secrets.jwt-key-strong               The key that signs tokens is long and random
        secrets.jwt-key-not-default          It is not a value that anybody can read in the source
        secrets.jwt-key-not-in-code          It stands in no file of the source and its history
        secrets.jwt-key-differs              Each environment signs with a key of its own
        secrets.encryption-key-valid         The key that encrypts users' API keys is usable
        secrets.encryption-key-differs       Each environment encrypts with a key of its own
        secrets.encryption-key-recoverable   The encryption key is in a backup that opens a real row
        environment.is-production            The application runs in the mode that was declared
        environment.dev-cors-off             Pages on a developer's machine are not let in
        environment.echo-fallback-off        A failing AI provider is not papered over by an echo
        api-keys.production-keys             The server's AI keys are this environment's own
        api-keys.openai                      OpenAI accepts the key, in the declared project
        api-keys.anthropic                   Anthropic accepts the key, in the declared workspace
        api-keys.google                      Google accepts the key, in the declared project
        api-keys.not-in-code                 No API key stands in the source and its history
        api-keys.rate-limits                 Each provider's rate limits are within what is allowed
        api-keys.usage-watched               This month's spending is known and under budget
        email.provider-not-console           Mail is sent, not printed
        email.provider-known                 The mail provider is supported and has its settings
        email.from-own-domain                Mail comes from the application's own domain
        email.from-name-friendly             The sender's name is one that a person would use
        email.frontend-url-public            Links in mails lead to the public site
        email.provider-key-accepted          The mail provider accepts the key and knows the domain
        email.password-reset-works           A forgotten password can be replaced by mail, once
        email.spf-dkim-dmarc                 Receivers can tell that the mail is genuine
    """,
    "Database & Infrastructure": """
        postgres.managed                     PostgreSQL runs where it was declared
        postgres.backups-on                  Backups are taken, and the newest is young enough
        postgres.pgvector                    Vectors can be stored and searched
        postgres.not-public                  The database can't be reached from outside
        postgres.pooled                      The application shares its connections
        postgres.pool-size                   The pool suits the database's plan
        postgres.max-overflow                All pools together fit into the server's connections
        postgres.monitored                   Somebody is told when the database is in trouble
        redis.managed                        Redis runs where it was declared
        redis.persistent                     Redis survives a restart with its data
        redis.not-public                     Redis can't be reached from outside
        redis.password                       Redis answers nobody without a password
        migrations.tested-in-staging         The same migrations have been verified in staging
        migrations.run-on-deploy             A deploy migrates, and the schema is the release's
        migrations.rollback-plan             There is a way back from each migration
    """,
    "Performance": """
        capacity.workers                     The number of workers suits the plan
        capacity.workers-railway-free        One worker on the free tier
        capacity.workers-railway-paid        Two to four workers on a paid tier
        capacity.workers-dedicated           Twice the cores plus one on a server of its own
        capacity.pools-tuned                 The pools suit the load
        capacity.pool-matches-load           The pool holds the expected concurrent requests
        capacity.not-overprovisioned         No more connections are reserved than are used
        health.app                           The application's health page answers, and fast
        health.database                      The database's health page reports no defect
        health.providers                     Each configured provider answers
        health.logs-readable                 The application's log can be read
        health.error-tracking                Errors are reported to a tracker
        health.performance-monitoring        Performance is reported to a monitor
    """,
    "Deployment": """
        platform.custom-domain               The domain leads to this application
        platform.https                       HTTPS is required and its certificate is sound
        platform.healthcheck-path            The platform asks the health page before it switches
        platform.restart-policy              A crashed application is started again
        platform.resource-limits             The platform's limits are within bounds
        build.finishes                       The last build succeeded in time
        build.starts-clean                   The application started without an error
        build.variables-complete             Every variable that the release needs is there and parses
        build.no-secrets-in-logs             No secret reaches the log
        build.timeout-headroom               Builds end well before the platform gives up
    """,
    "Testing": """
        accounts.register                    A new user can register; bad requests are refused
        accounts.verify-email                A mailed token verifies an address, another does not
        accounts.login                       The right password logs in, a wrong one does not
        accounts.reset-password              A forgotten password can be replaced
        accounts.refresh                     A refresh token gives new tokens, an access token does not
        accounts.protected-with-token        A token opens its own user's data
        accounts.protected-without-token     No token, an expired or a forged one opens nothing
        ai.lessons                           A lesson with content comes back
        ai.lessons-openai                    A lesson comes from OpenAI
        ai.lessons-anthropic                 A lesson comes from Anthropic
        ai.lessons-google                    A lesson comes from Google
        ai.chat                              The chat replies with more than an echo
        ai.coach                             The coach replies
        ai.tts                               Text is spoken
        byok.save                            A user's own API key can be saved and is not shown again
        byok.encrypted-at-rest               It is stored encrypted
        byok.used                            It is used for that user's requests
        byok.delete                          A deleted key is gone
        reader.search                        A known word finds a known text
        reader.text                          A text comes back whole and in order
        reader.morphology                    A known form gives its lemma
        reader.vocabulary                    A known word gives its meaning
    """,
    "Documentation": """
        documentation.readme-current         What the README names exists
        documentation.api-docs               The API's documentation is served and complete
        documentation.variables              Every setting is documented, and no other
        documentation.deployment-guide       The deployment guide's links and commands work
    """,
    "Compliance & Legal": """
        compliance.privacy-policy            There is a privacy policy, and it is recent
        compliance.terms                     There are terms of service
        compliance.gdpr                      Users can take out and erase their data
        compliance.export-user               An export holds all that a user wrote
        compliance.delete-user               After an erasure nothing of the user is left
        compliance.licence                   There is a licence
    """,
    "Post-Deployment": """
        watch.error-logs                     No more errors than before the deploy
        watch.resources                      Processor, memory and connections are under their limits
        watch.response-times                 Answers are as fast as before the deploy
        watch.query-performance              Queries are as fast as before the deploy
        watch.hourly-health                  Health was asked for every hour
        verification.smoke                   The whole Testing section holds
        verification.email-delivery          A mail arrives in time
        verification.ai-providers            Every AI provider answers
        verification.seed-data               The declared content is there
        verification.authentication          The way from registration to protected data holds
        recovery.backup-works                The newest snapshot is whole and readable
        recovery.restore-tested              A restore was proven within the last 100 days
        recovery.variables-backed-up         The variables are kept encrypted, and current
        recovery.secrets-in-vault            Secrets live in a vault
    """,
    "Rollback Plan": """
        rollback.rehearsed                   A rollback was rehearsed and is possible now
        rollback.variables-kept              The previous release's variables are kept
        rollback.database-restorable         The snapshot that a rollback needs restores
        rollback.communication-plan          Users can be told
    """,
    "Scaling Preparation": """
        scaling.limits-known                 The current limits are known
        scaling.horizontal-known             How to add instances is written down
        scaling.vertical-known               How to enlarge the server is written down
        scaling.cost-estimates               What growth costs is known
        scaling.database-load                The database was tried under the expected load
    """,
    "Support & Incident Response": """
        support.discord                      The community's server is alive
        support.github-issues                Issues are answered
        support.on-call                      Somebody is on call without a gap
        support.alerts                       Alerts exist and arrive
    """,
    "Cost Management": """
        cost.known                           Every cost is known
        cost.hosting                         What hosting costs is known
        cost.database                        What the database costs is known
        cost.redis                           What Redis costs is known
        cost.ai                              What AI providers cost is known
        cost.email                           What mail costs is known
        cost.billing-alerts                  A bill that grows rings a bell
        cost.spike-budget                    There is a reserve for a bad month
        cost.usage-limits                    Providers stop at a limit
    """,
}


def _items() -> tuple[Item, ...]:
    rows = [
        (section, *line.split(None, 1)) for section, lines in _LISTED.items() for line in lines.strip().splitlines()
    ]
    return tuple(Item(number, id, section, title) for number, (section, id, title) in enumerate(rows, start=1))


ITEMS = _items()
BY_ID = {item.id: item for item in ITEMS}
SECTIONS = tuple(_LISTED)
