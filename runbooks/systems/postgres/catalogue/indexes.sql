SELECT r.name,
       pg_catalog.pg_get_indexdef(r.oid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
       || CASE WHEN i.indisclustered THEN ' (clustered)' ELSE '' END AS definition
FROM relation r JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
WHERE r.relkind IN ('i', 'I')
