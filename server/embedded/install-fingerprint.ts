/*
 * spanner.farm_fingerprint: Fingerprint64 of Google's FarmHash, whose algorithm and constants these are (its function names: ShiftMix, HashLen16,
 * WeakHashLen32WithSeeds). It counts modulo 2^64: sums and products are numeric here, and are folded into bigint once an expression.
 */

/** In the search path of the helpers: operators of whole numbers are PostgreSQL's own. */
const HELPER = 'LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog'
const ARITHMETIC = 'LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE'

const K0 = '(-4348849565147123417)'
const K1 = '(-5435081209227447693)'
const K2 = '(-7286425919675154353)'

/** SQL that makes the function; may be run again. */
export const FINGERPRINT = `
CREATE OR REPLACE FUNCTION _spanner.fold64(n numeric) RETURNS bigint ${ARITHMETIC}
  RETURN (pg_catalog.mod(pg_catalog.mod(n, 18446744073709551616) + 27670116110564327424, 18446744073709551616) - 9223372036854775808)::bigint;
CREATE OR REPLACE FUNCTION _spanner.rotate64(v bigint, n int) RETURNS bigint ${ARITHMETIC}
  RETURN ((v >> n) & (((1::bigint << (64 - n))) - 1))
    | (v << (64 - n));
CREATE OR REPLACE FUNCTION _spanner.shift_mix(v bigint) RETURNS bigint ${ARITHMETIC}
  RETURN v # ((v >> 47) & 131071);
CREATE OR REPLACE FUNCTION _spanner.fetch64(s bytea, at int) RETURNS bigint ${HELPER} AS $$
DECLARE v bigint := 0;
BEGIN
  FOR i IN REVERSE 7..0 LOOP v := (v << 8) | get_byte(s, at + i); END LOOP;
  RETURN v;
END $$;
CREATE OR REPLACE FUNCTION _spanner.fetch32(s bytea, at int) RETURNS bigint ${HELPER} AS $$
DECLARE v bigint := 0;
BEGIN
  FOR i IN REVERSE 3..0 LOOP v := (v << 8) | get_byte(s, at + i); END LOOP;
  RETURN v;
END $$;
CREATE OR REPLACE FUNCTION _spanner.hash_len16(u bigint, v bigint, mul bigint) RETURNS bigint ${HELPER} AS $$
DECLARE a bigint := _spanner.shift_mix(_spanner.fold64((u # v)::numeric * mul));
BEGIN
  RETURN _spanner.fold64(_spanner.shift_mix(_spanner.fold64((v # a)::numeric * mul))::numeric * mul);
END $$;
CREATE OR REPLACE FUNCTION _spanner.hash_len0_to16(s bytea) RETURNS bigint ${HELPER} AS $$
DECLARE n int := length(s); a bigint; b bigint; mul bigint := ${K2} + n * 2;
BEGIN
  IF n >= 8 THEN
    a := _spanner.fold64(_spanner.fetch64(s, 0)::numeric + ${K2});
    b := _spanner.fetch64(s, n - 8);
    RETURN _spanner.hash_len16(_spanner.fold64(_spanner.rotate64(b, 37)::numeric * mul + a),
      _spanner.fold64((_spanner.rotate64(a, 25)::numeric + b) * mul), mul);
  ELSIF n >= 4 THEN
    RETURN _spanner.hash_len16(n + (_spanner.fetch32(s, 0) << 3), _spanner.fetch32(s, n - 4), mul);
  ELSIF n > 0 THEN
    a := get_byte(s, 0) + (get_byte(s, n >> 1) << 8);
    b := n + (get_byte(s, n - 1) << 2);
    RETURN _spanner.fold64(_spanner.shift_mix(_spanner.fold64(a::numeric * ${K2}) # _spanner.fold64(b::numeric * ${K0}))::numeric * ${K2});
  END IF;
  RETURN ${K2};
END $$;
CREATE OR REPLACE FUNCTION _spanner.hash_len17_to64(s bytea) RETURNS bigint ${HELPER} AS $$
DECLARE
  n int := length(s); mul bigint := ${K2} + n * 2;
  a bigint := _spanner.fold64(_spanner.fetch64(s, 0)::numeric * CASE WHEN n > 32 THEN ${K2} ELSE ${K1} END);
  b bigint := _spanner.fetch64(s, 8);
  c bigint := _spanner.fold64(_spanner.fetch64(s, n - 8)::numeric * mul);
  d bigint := _spanner.fold64(_spanner.fetch64(s, n - 16)::numeric * ${K2});
  y bigint := _spanner.fold64(_spanner.rotate64(_spanner.fold64(a::numeric + b), 43)::numeric + _spanner.rotate64(c, 30) + d);
  z bigint := _spanner.hash_len16(y, _spanner.fold64(a::numeric + _spanner.rotate64(_spanner.fold64(b::numeric + ${K2}), 18) + c), mul);
  e bigint; f bigint; g bigint; h bigint;
BEGIN
  IF n <= 32 THEN RETURN z; END IF;
  e := _spanner.fold64(_spanner.fetch64(s, 16)::numeric * mul);
  f := _spanner.fetch64(s, 24);
  g := _spanner.fold64((y::numeric + _spanner.fetch64(s, n - 32)) * mul);
  h := _spanner.fold64((z::numeric + _spanner.fetch64(s, n - 24)) * mul);
  RETURN _spanner.hash_len16(_spanner.fold64(_spanner.rotate64(_spanner.fold64(e::numeric + f), 43)::numeric + _spanner.rotate64(g, 30) + h),
    _spanner.fold64(e::numeric + _spanner.rotate64(_spanner.fold64(f::numeric + a), 18) + g), mul);
END $$;
CREATE OR REPLACE FUNCTION _spanner.weak_hash_len32(s bytea, at int, a bigint, b bigint) RETURNS bigint[] ${HELPER} AS $$
DECLARE
  first bigint := _spanner.fold64(a::numeric + _spanner.fetch64(s, at));
  last bigint := _spanner.fetch64(s, at + 24);
  middle bigint := _spanner.fold64(first::numeric + _spanner.fetch64(s, at + 8) + _spanner.fetch64(s, at + 16));
BEGIN
  RETURN ARRAY[_spanner.fold64(middle::numeric + last),
    _spanner.fold64(_spanner.rotate64(_spanner.fold64(b::numeric + first + last), 21)::numeric + _spanner.rotate64(middle, 44) + first)];
END $$;
CREATE OR REPLACE FUNCTION _spanner.hash_long(s bytea) RETURNS bigint ${HELPER} AS $$
DECLARE
  n int := length(s); at int := 0; final int := (n - 1) / 64 * 64; mul bigint := ${K1}; nine int := 1;
  x bigint := _spanner.fold64(81::numeric * ${K2} + _spanner.fetch64(s, 0));
  y bigint := _spanner.fold64(81::numeric * ${K1} + 113);
  z bigint := _spanner.fold64(_spanner.shift_mix(_spanner.fold64(y::numeric * ${K2} + 113))::numeric * ${K2});
  v bigint[] := ARRAY[0, 0]; w bigint[] := ARRAY[0, 0]; other bigint;
BEGIN
  LOOP
    x := _spanner.fold64(_spanner.rotate64(_spanner.fold64(x::numeric + y + v[1] + _spanner.fetch64(s, at + 8)), 37)::numeric * mul);
    y := _spanner.fold64(_spanner.rotate64(_spanner.fold64(y::numeric + v[2] + _spanner.fetch64(s, at + 48)), 42)::numeric * mul);
    x := x # _spanner.fold64(w[2]::numeric * nine);
    y := _spanner.fold64(y::numeric + v[1]::numeric * nine + _spanner.fetch64(s, at + 40));
    z := _spanner.fold64(_spanner.rotate64(_spanner.fold64(z::numeric + w[1]), 33)::numeric * mul);
    v := _spanner.weak_hash_len32(s, at, _spanner.fold64(v[2]::numeric * mul), _spanner.fold64(x::numeric + w[1]));
    w := _spanner.weak_hash_len32(s, at + 32, _spanner.fold64(z::numeric + w[2]), _spanner.fold64(y::numeric + _spanner.fetch64(s, at + 16)));
    other := z; z := x; x := other;
    EXIT WHEN nine = 9;
    at := at + 64;
    CONTINUE WHEN at < final;
    -- The last 64 bytes, whatever of them was there before.
    nine := 9; at := n - 64;
    mul := _spanner.fold64(${K1}::numeric + ((z & 255) << 1));
    w[1] := _spanner.fold64(w[1]::numeric + ((n - 1) & 63));
    v[1] := _spanner.fold64(v[1]::numeric + w[1]);
    w[1] := _spanner.fold64(w[1]::numeric + v[1]);
  END LOOP;
  RETURN _spanner.hash_len16(
    _spanner.fold64(_spanner.hash_len16(v[1], w[1], mul)::numeric + _spanner.shift_mix(y)::numeric * ${K0} + z),
    _spanner.fold64(_spanner.hash_len16(v[2], w[2], mul)::numeric + x), mul);
END $$;
CREATE OR REPLACE FUNCTION spanner.farm_fingerprint(bytea) RETURNS bigint ${ARITHMETIC}
  RETURN CASE WHEN pg_catalog.length($1) <= 16 THEN _spanner.hash_len0_to16($1)
    WHEN pg_catalog.length($1) <= 64 THEN _spanner.hash_len17_to64($1) ELSE _spanner.hash_long($1) END;
CREATE OR REPLACE FUNCTION spanner.farm_fingerprint(text) RETURNS bigint ${ARITHMETIC}
  RETURN spanner.farm_fingerprint(pg_catalog.convert_to($1, 'UTF8'));
`
