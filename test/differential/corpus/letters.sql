-- letters whose other case is no single letter
SELECT id, upper(t), lower(t), upper(t) LIKE upper('%ß%') FROM samples
