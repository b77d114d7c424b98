SELECT pg_catalog.quote_ident(e.extname) AS name,
       e.extversion || ' in schema ' || pg_catalog.quote_ident(n.nspname) AS definition
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
