-- numerics in a list
SELECT id FROM samples WHERE n IN (0, 1, 1.5)
