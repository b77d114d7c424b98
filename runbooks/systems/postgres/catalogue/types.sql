SELECT k.name,
       CASE k.typtype
         WHEN 'e' THEN 'enum ' || (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                                   FROM pg_catalog.pg_enum e WHERE e.enumtypid = k.oid)
         WHEN 'd' THEN pg_catalog.concat_ws(' ', 'domain', pg_catalog.format_type(k.typbasetype, k.typtypmod),
                                            CASE WHEN k.typnotnull THEN 'not null' END, 'default ' || k.typdefault)
         WHEN 'r' THEN 'range of ' || (SELECT pg_catalog.format_type(g.rngsubtype, NULL)
                                       FROM pg_catalog.pg_range g WHERE g.rngtypid = k.oid)
         ELSE 'composite' END AS definition
FROM kind k
