SELECT r.name, pg_catalog.pg_get_viewdef(r.oid) AS definition
FROM relation r WHERE r.relkind IN ('v', 'm')
