SELECT pg_catalog.quote_ident(e.evtname) AS name,
       pg_catalog.concat_ws(' ', e.evtevent, e.evtfoid::pg_catalog.regprocedure::text, e.evtenabled::text, e.evttags::text) AS definition
FROM pg_catalog.pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM owned o
                  WHERE o.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND o.objid = e.oid)
