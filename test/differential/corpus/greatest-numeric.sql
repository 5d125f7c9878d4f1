-- the emulator has no GREATEST of numerics
SELECT id, GREATEST(n, n2), LEAST(n, n2, 1.50) FROM samples
