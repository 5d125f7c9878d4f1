-- casts of texts wait as well
SELECT id FROM samples WHERE t IN ('1', ' 12 ') AND t::int > 1
