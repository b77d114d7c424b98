SELECT r.name || ' ' || pg_catalog.quote_ident(w.rulename) AS name,
       pg_catalog.pg_get_ruledef(w.oid) || ' ' || w.ev_enabled::text AS definition
FROM relation r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid
WHERE w.rulename <> '_RETURN'
