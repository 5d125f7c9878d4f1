-- the same where NULL is not false
SELECT id, i8 <> 0 AND 10 / i8 > 1 FROM samples
