SELECT pg_catalog.quote_ident(p.pubname) AS name,
       pg_catalog.concat_ws(' ', CASE WHEN p.puballtables THEN 'all tables' END,
         CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
         (SELECT pg_catalog.string_agg(r.prrelid::pg_catalog.regclass::text, ', ' ORDER BY r.prrelid::pg_catalog.regclass::text COLLATE "C")
          FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid)) AS definition
FROM pg_catalog.pg_publication p
