-- what is the same in every row sorts nothing
-- ordered
SELECT id FROM samples ORDER BY lower('A'), id
