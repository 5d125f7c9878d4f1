-- a condition that fails waits for the one before it
SELECT id FROM samples WHERE i8 <> 0 AND 10 / i8 > 1
