-- operands that are written several times over
SELECT a.id, (SELECT max(s."ts") FROM samples AS s WHERE s.id <= a.id), (((a."f4" OPERATOR(pg_catalog./) a."f4") OPERATOR(pg_catalog./) a."f4") OPERATOR(pg_catalog.*) a."f4") FROM samples AS a WHERE a.id = 1
