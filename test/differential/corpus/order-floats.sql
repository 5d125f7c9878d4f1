-- NULL floats as sort keys
-- ordered
SELECT id FROM samples ORDER BY f8 DESC NULLS LAST, f4, id
