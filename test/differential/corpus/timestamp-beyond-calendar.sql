-- a timestamp that leaves the calendar fails where it is only compared, too
SELECT a.id FROM samples AS a WHERE a.id <= 13 AND to_timestamp(a.f8) NOT IN ('1969-12-31 23:59:59.5+00'::timestamptz)
