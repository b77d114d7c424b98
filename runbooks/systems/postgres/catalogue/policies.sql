SELECT r.name || ' ' || pg_catalog.quote_ident(p.polname) AS name,
       pg_catalog.concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, p.polcmd::text,
         (SELECT 'to ' || pg_catalog.string_agg(CASE m WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(m) END, ', ' ORDER BY 1)
          FROM pg_catalog.unnest(p.polroles) m),
         'using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
         'check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) AS definition
FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
