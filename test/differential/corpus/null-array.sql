-- <> ALL of a NULL array is NULL
SELECT id FROM samples WHERE i8 <> ALL (i8s)
