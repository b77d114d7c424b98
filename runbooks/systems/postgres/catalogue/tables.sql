SELECT r.name,
       pg_catalog.concat_ws(' ',
         CASE r.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' WHEN 'm' THEN 'materialized' END,
         CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
         CASE WHEN r.relrowsecurity THEN 'row security' END,
         CASE WHEN r.relforcerowsecurity THEN 'forced' END,
         CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN 'not populated' END,
         CASE r.relreplident WHEN 'd' THEN NULL ELSE 'replica identity ' || r.relreplident::text END,
         r.reloptions::text,
         'partition key ' || pg_catalog.pg_get_partkeydef(r.oid),
         pg_catalog.pg_get_expr(r.relpartbound, r.oid),
         (SELECT 'of ' || pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::text, ', ' ORDER BY i.inhseqno)
          FROM pg_catalog.pg_inherits i WHERE i.inhrelid = r.oid)) AS definition
FROM relation r WHERE r.relkind IN ('r', 'p', 'f', 'm')
