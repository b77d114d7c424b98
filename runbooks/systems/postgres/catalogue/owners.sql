SELECT 'schema ' || s.name AS name, pg_catalog.pg_get_userbyid(s.nspowner)::text AS definition FROM space s
WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND o.objid = s.oid)
UNION ALL
SELECT 'relation ' || r.name, pg_catalog.pg_get_userbyid(r.relowner) FROM relation r
WHERE r.relkind IN ('r', 'p', 'f', 'm', 'v', 'S')
UNION ALL
SELECT 'function ' || f.name, pg_catalog.pg_get_userbyid(f.proowner) FROM routine f
UNION ALL
SELECT 'type ' || k.name, pg_catalog.pg_get_userbyid(k.typowner) FROM kind k
UNION ALL
SELECT 'large object ' || l.oid::text, pg_catalog.pg_get_userbyid(l.lomowner) FROM pg_catalog.pg_largeobject_metadata l
