SELECT r.name,
       pg_catalog.concat_ws(' ', pg_catalog.format_type(q.seqtypid, NULL), 'start', q.seqstart, 'increment', q.seqincrement,
         'from', q.seqmin, 'to', q.seqmax, 'cache', q.seqcache, CASE WHEN q.seqcycle THEN 'cycle' END,
         (SELECT 'owned by ' || d.refobjid::pg_catalog.regclass::text || '.' || pg_catalog.quote_ident(a.attname)
          FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i') LIMIT 1)
       ) AS definition
FROM relation r JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
WHERE r.relkind = 'S'
