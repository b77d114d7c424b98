SELECT r.name || ' ' || pg_catalog.quote_ident(t.tgname) AS name,
       pg_catalog.pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' (enabled ' || t.tgenabled::text || ')' END
       AS definition
FROM relation r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid
WHERE NOT t.tgisinternal
