-- the same behind OR
SELECT id FROM samples WHERE i8 = 0 OR 10 / i8 > 1
