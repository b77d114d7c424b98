"""Users' data that is kept back, or kept."""

from __future__ import annotations

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import built

FAULTS = (
    built("export-incomplete", "compliance.export-user", "missing: bio"),
    built("delete-soft", "compliance.delete-user", "user.id (1 row)"),
    Fault(
        name="mailing-list-keeps-address",
        breaks="compliance.delete-user",
        shows="left: mailing_list.address (1 row)",
        means=means.rows(
            """
            CREATE TABLE IF NOT EXISTS mailing_list (address text);
            GRANT SELECT, INSERT ON mailing_list TO PUBLIC;
            CREATE OR REPLACE FUNCTION join_mailing_list() RETURNS trigger LANGUAGE plpgsql AS
                $$BEGIN INSERT INTO mailing_list VALUES ('To: ' || upper(NEW.email)); RETURN NEW; END$$;
            CREATE OR REPLACE TRIGGER join_mailing_list AFTER INSERT ON "user"
                FOR EACH ROW EXECUTE FUNCTION join_mailing_list();
            """,
            """
            DROP TRIGGER IF EXISTS join_mailing_list ON "user";
            DROP FUNCTION IF EXISTS join_mailing_list;
            DROP TABLE IF EXISTS mailing_list;
            """,
        ),
    ),
)
