-- a group of numerics is shown by one of its own
SELECT DISTINCT n FROM samples
