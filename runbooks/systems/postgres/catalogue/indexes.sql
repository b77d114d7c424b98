SELECT r.name,
       pg_catalog.pg_get_indexdef(r.oid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
       || CASE WHEN i.indisclustered THEN ' (clustered)' ELSE '' END AS definition
FROM relation r JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
-- An invalid one is of no use to anybody, and pg_dump leaves it out.
WHERE r.relkind IN ('i', 'I') AND (i.indisvalid OR t.relkind = 'p')
