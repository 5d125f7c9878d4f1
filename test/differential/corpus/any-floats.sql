-- ANY of an array of floats is refused
-- parameters: ["{0.5,NULL}"]
SELECT a.id, (a."f4" = ANY (a."f4s")), (a."f8" <> ALL (a."f8s")), (a."f4" = ANY ($1)) FROM samples AS a
