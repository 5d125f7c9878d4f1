-- SSSS and IDDD are parts of their own, not two each
SELECT a.id, to_char(a.ts, 'SSSS'), to_char(a.ts, 'IYYY IDDD'), to_char(a.tz, 'HH24:MI:SS SSSSS'), to_char(a.d, 'IDDD DDD') FROM samples AS a
