-- emulator, seed 20260401
SELECT a.id, a."i8" FROM samples AS a WHERE a.id <= 4
