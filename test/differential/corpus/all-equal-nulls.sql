-- on the emulator `= ALL` is NULL where an element is, whatever the others are
SELECT a.id, 3 = ALL (a."i8s"), a."t" = ALL (a."txs") FROM samples AS a
