-- any order will do
SELECT count(*) FROM (SELECT id FROM samples ORDER BY random() LIMIT 3) AS x
