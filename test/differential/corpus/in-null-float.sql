-- the emulator dies of NULL in a list of floats
-- parameters: ["0.5"]
SELECT a.id FROM samples AS a WHERE a.f8 NOT IN (1.5, NULL, 'NaN') OR a.f4 IN ($1::real, NULL) OR a.i8::float4 IN (a.f4, 2) OR a.f8 = ANY ('{1,NULL}'::int[]::float8[])
