-- a later value of a row is not looked at where an earlier one has decided
SELECT a.id FROM samples AS a WHERE NOT ((a.b::int, a.n2 * 1.10) < (7, a.f4::int2)) OR (a.id, 10 / a.i8) > (40, 1)
