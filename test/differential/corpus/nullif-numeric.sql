-- the emulator has no NULLIF of numerics
SELECT id, NULLIF(n, n2), NULLIF(n, 1.5) FROM samples
