-- the same with aggregates
SELECT n2, count(*), max(i8) FROM samples GROUP BY n2 HAVING count(*) > 0
