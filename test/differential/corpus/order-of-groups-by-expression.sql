-- on the emulator a sort key that tells equal groups apart is not found among the keys where it is computed
-- ordered
SELECT a.id, sum(a.n2) FROM samples AS a WHERE a.id <= 25 GROUP BY a.id, (a."t" OPERATOR(pg_catalog.||) a."t") ORDER BY a.id
