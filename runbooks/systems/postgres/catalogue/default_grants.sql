SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_get_userbyid(d.defaclrole), d.defaclobjtype::text,
                            coalesce(n.nspname, '(everywhere)')) AS name,
       (SELECT pg_catalog.string_agg(i::text, ', ' ORDER BY i::text COLLATE "C") FROM pg_catalog.unnest(d.defaclacl) i) AS definition
FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
