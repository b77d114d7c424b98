-- Put before each of the other files: what belongs to the database's users, not to PostgreSQL or an extension.
WITH space AS (
  SELECT n.oid, pg_catalog.quote_ident(n.nspname) AS name, n.nspowner, n.nspacl, n.nspname
  FROM pg_catalog.pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), owned AS (
  SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), relation AS (
  SELECT c.*, s.name || '.' || pg_catalog.quote_ident(c.relname) AS name
  FROM pg_catalog.pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE c.relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid)
), routine AS (
  SELECT p.*, s.name || '.' || pg_catalog.quote_ident(p.proname)
              || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name
  FROM pg_catalog.pg_proc p JOIN space s ON s.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND o.objid = p.oid)
), kind AS (
  SELECT t.*, s.name || '.' || pg_catalog.quote_ident(t.typname) AS name
  FROM pg_catalog.pg_type t JOIN space s ON s.oid = t.typnamespace
  WHERE t.typtype IN ('d', 'e', 'r', 'c')
    AND (t.typtype <> 'c' OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
    AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND o.objid = t.oid)
)
