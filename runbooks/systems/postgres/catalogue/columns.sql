SELECT r.name || '.' || pg_catalog.quote_ident(a.attname) AS name,
       pg_catalog.concat_ws(' ',
         pg_catalog.format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attnotnull THEN 'not null' END,
         CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END,
         CASE WHEN a.attgenerated <> '' THEN 'generated ' || a.attgenerated::text END,
         'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
         CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::pg_catalog.regcollation::text END
       ) AS definition
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f', 'c')
