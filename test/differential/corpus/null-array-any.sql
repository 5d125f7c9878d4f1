-- = ANY of a NULL array is NULL, also where more than its truth counts
SELECT id, i8 = ANY (i8s) FROM samples
