-- the emulator dies of an internal check of its own where ANY has an array that is neither a column nor a parameter
SELECT a.id FROM samples AS a WHERE (a."t" = ANY ((a."txs" OPERATOR(pg_catalog.||) a."txs")))
