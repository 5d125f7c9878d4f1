-- blanks at the end of char(n) come back
SELECT id, c, c || 'x', COALESCE(c, 'y'), c::text FROM samples
