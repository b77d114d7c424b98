-- A missing list of rights means the usual ones, and a dump does not tell the two apart.
SELECT a.name,
       pg_catalog.string_agg(
         CASE g.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END || ' ' || g.privilege_type
         || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END, ', '
         ORDER BY CASE g.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END COLLATE "C",
                  g.privilege_type COLLATE "C") AS definition
FROM (
  SELECT 'schema ' || s.name AS name, coalesce(s.nspacl, pg_catalog.acldefault('n', s.nspowner)) AS acl FROM space s
  UNION ALL
  SELECT 'relation ' || r.name,
         coalesce(r.relacl, pg_catalog.acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner))
  FROM relation r WHERE r.relkind IN ('r', 'p', 'f', 'm', 'v', 'S')
  UNION ALL
  SELECT 'column ' || r.name || '.' || pg_catalog.quote_ident(c.attname), c.attacl
  FROM relation r JOIN pg_catalog.pg_attribute c ON c.attrelid = r.oid AND c.attacl IS NOT NULL AND NOT c.attisdropped
  UNION ALL
  SELECT 'function ' || f.name, coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner)) FROM routine f
  UNION ALL
  SELECT 'type ' || k.name, coalesce(k.typacl, pg_catalog.acldefault('T', k.typowner)) FROM kind k
  UNION ALL
  SELECT 'large object ' || l.oid::text, coalesce(l.lomacl, pg_catalog.acldefault('L', l.lomowner))
  FROM pg_catalog.pg_largeobject_metadata l
) a CROSS JOIN LATERAL pg_catalog.aclexplode(a.acl) g
GROUP BY a.name
