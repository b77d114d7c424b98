SELECT coalesce(r.name, k.name) || ' ' || pg_catalog.quote_ident(c.conname) AS name,
       pg_catalog.pg_get_constraintdef(c.oid) AS definition
FROM pg_catalog.pg_constraint c
LEFT JOIN relation r ON r.oid = c.conrelid
LEFT JOIN kind k ON k.oid = c.contypid
-- a trigger's own entry is compared as trigger
WHERE (r.oid IS NOT NULL OR k.oid IS NOT NULL) AND c.contype <> 't'
