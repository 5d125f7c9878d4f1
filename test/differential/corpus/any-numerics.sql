-- the emulator does not compare numerics in ANY
SELECT a.id FROM samples AS a WHERE (a."n" = ANY (a."ns")) OR (a."n2" > ALL (a."ns"))
