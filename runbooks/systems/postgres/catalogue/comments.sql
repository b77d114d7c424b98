SELECT i.type || ' ' || i.identity AS name, d.description AS definition
FROM pg_catalog.pg_description d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE (d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid IN (SELECT oid FROM relation))
   OR (d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objoid IN (SELECT oid FROM routine))
   OR (d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objoid IN (SELECT oid FROM kind))
   OR (d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
       AND d.objoid IN (SELECT oid FROM space WHERE nspname <> 'public'))
