-- the emulator has no IN for a varchar(n) beside texts
SELECT a.id FROM samples AS a WHERE (a.t::varchar(2)) NOT IN ('no'::varchar, 'Äb'::varchar) AND a.t <> ALL ('{x,NULL}'::varchar[]) IS NOT FALSE
