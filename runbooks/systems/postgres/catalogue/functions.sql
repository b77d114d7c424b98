SELECT r.name,
       CASE WHEN r.prokind = 'a' THEN
         (SELECT pg_catalog.concat_ws(' ', 'aggregate', g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.agginitval)
          FROM pg_catalog.pg_aggregate g WHERE g.aggfnoid = r.oid)
       ELSE pg_catalog.pg_get_functiondef(r.oid) END AS definition
FROM routine r
