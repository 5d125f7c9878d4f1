-- places before and behind a text
SELECT id, substr(t, -1), substring(t from 0 for 2), left(t, -1), right(t, 2) FROM samples
