-- NaN is equal to itself
SELECT id, NULLIF(f8, f8), NULLIF(f4, 'NaN') FROM samples
