SELECT s.name || '.' || pg_catalog.quote_ident(x.stxname) AS name,
       pg_catalog.pg_get_statisticsobjdef(x.oid) AS definition
FROM pg_catalog.pg_statistic_ext x JOIN space s ON s.oid = x.stxnamespace
