-- ANY of an empty array is a constant, by which Spanner does not sort
-- ordered
SELECT a.id FROM samples AS a ORDER BY (a."f4" = ANY ('{}'::real[])), a.id DESC
