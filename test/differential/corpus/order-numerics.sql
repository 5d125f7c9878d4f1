-- numerics as sort keys
-- ordered
SELECT id FROM samples ORDER BY n DESC, id
