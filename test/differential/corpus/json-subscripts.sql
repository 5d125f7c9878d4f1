-- subscripts of jsonb: keys, places, places as texts
SELECT id, j['a'], j[0], j['0'], j[-1], j[t], j[i4], j['b'][2]['c'] FROM samples
