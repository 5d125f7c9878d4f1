-- trim takes blanks, not all white space
SELECT id, trim(t), trim(both 'a' from t) FROM samples
