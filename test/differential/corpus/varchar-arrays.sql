-- arrays of text and of varchar are one type to Spanner
SELECT id, vs @> ARRAY['a']::varchar[], txs && vs::text[] FROM samples
