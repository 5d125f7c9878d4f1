-- NaN in a list
SELECT id FROM samples WHERE f8 IN ('NaN', 1) OR f4 NOT IN ('NaN')
