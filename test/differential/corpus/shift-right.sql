-- the sign comes in at the left
SELECT id, i8 >> 1, i4 >> 33, i2 >> 1 FROM samples
