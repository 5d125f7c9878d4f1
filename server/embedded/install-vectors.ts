/*
 * Distances of vectors ("Mathematical functions" of the dialect's function pages): of arrays of float8 and float4, dot_product also of bigint, always double precision.
 */

/** SN011 is OUT_OF_RANGE. */
const CHECK = `
CREATE OR REPLACE FUNCTION _spanner.check_vectors(a float8[], b float8[], null_text text, length_text text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
  IF cardinality(a) <> cardinality(b) THEN
    RAISE EXCEPTION '%', format(length_text, cardinality(a), cardinality(b)) USING ERRCODE = 'SN011';
  END IF;
  IF array_position(a, NULL) IS NOT NULL OR array_position(b, NULL) IS NOT NULL THEN
    RAISE EXCEPTION '%', format(null_text, CASE WHEN array_position(a, NULL) IS NULL THEN 'second' ELSE 'first' END) USING ERRCODE = 'SN011';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.sum_of_products(a float8[], b float8[]) RETURNS float8
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (SELECT COALESCE(sum(x.a * x.b), 0) FROM ROWS FROM (unnest(a), unnest(b)) x(a, b));
`

const DISTANCES = `
CREATE OR REPLACE FUNCTION spanner.dot_product(a float8[], b float8[]) RETURNS float8
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
  PERFORM _spanner.check_vectors(a, b, 'Cannot compute DOT_PRODUCT with a NULL element, which was found in the %s array argument.',
    'Array arguments to DOT_PRODUCT must have equal length. The given arrays have lengths of %s and %s');
  RETURN _spanner.sum_of_products(a, b);
END $$;
CREATE OR REPLACE FUNCTION spanner.cosine_distance(a float8[], b float8[]) RETURNS float8
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE lengths float8;
BEGIN
  PERFORM _spanner.check_vectors(a, b, 'NULL array element in %s argument', 'Array length mismatch: %s and %s');
  lengths := sqrt(_spanner.sum_of_products(a, a)) * sqrt(_spanner.sum_of_products(b, b));
  IF lengths = 0 THEN
    RAISE EXCEPTION 'Cannot compute cosine distance against zero vector' USING ERRCODE = 'SN011';
  END IF;
  RETURN 1 - _spanner.sum_of_products(a, b) / lengths;
END $$;
CREATE OR REPLACE FUNCTION spanner.euclidean_distance(a float8[], b float8[]) RETURNS float8
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
  PERFORM _spanner.check_vectors(a, b, 'NULL array element in %s argument', 'Array length mismatch: %s and %s');
  RETURN (SELECT COALESCE(sqrt(sum((x.a - x.b) * (x.a - x.b))), 0) FROM ROWS FROM (unnest(a), unnest(b)) x(a, b));
END $$;
`

/** SQL that makes the functions; may be run again. */
export function vectorsScript(): string {
  const others = [
    ['dot_product', 'float4[]'],
    ['dot_product', 'bigint[]'],
    ['cosine_distance', 'float4[]'],
    ['euclidean_distance', 'float4[]'],
  ].map(
    ([name, type]) =>
      `CREATE OR REPLACE FUNCTION spanner.${name}(a ${type}, b ${type}) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN spanner.${name}(a::float8[], b::float8[]);`,
  )
  return [CHECK, DISTANCES, ...others].join('\n')
}
