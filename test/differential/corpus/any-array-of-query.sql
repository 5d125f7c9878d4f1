-- ANY of an array that a query makes is refused; of the query itself it is not
SELECT a.id, (a."n" = ANY (ARRAY(SELECT s."n" FROM samples AS s WHERE s.id <= 1))), (a."v" = ALL (ARRAY(SELECT s."v" FROM samples AS s WHERE s.id < a.id))) FROM samples AS a
