import { INTERLEAVE_PREFIX } from './ddl-names.ts'
import type { Profile } from './profile.ts'

/** What DDL needs in the database for indexes and TTL. It belongs to the script of `install-ddl-functions.ts`. */
export function tableOptions(profile: Profile): string {
  // Foreign keys with ON DELETE CASCADE let rows go; the emulator takes none at all.
  const staysBehind = profile === 'production' ? `k.confdeltype <> 'c'` : 'true'
  return `${TTL}${INDEXES}
CREATE OR REPLACE FUNCTION _spanner.check_ttl() RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE bad text; names text;
BEGIN
  WITH RECURSIVE held AS (
    SELECT m.relid AS tab, m.relid AS top FROM _spanner_meta.tables m WHERE m.ttl IS NOT NULL
    UNION SELECT k.conrelid, h.top FROM held h JOIN pg_constraint k ON k.confrelid = h.tab AND k.contype = 'f' AND k.conname ~ '^${INTERLEAVE_PREFIX}')
  SELECT min(_spanner.shown(h.top)), string_agg(CASE WHEN k.conname ~ '^${INTERLEAVE_PREFIX}' THEN _spanner.shown(k.conrelid) ELSE k.conname END, ', ')
    INTO bad, names FROM held h JOIN pg_constraint k ON k.confrelid = h.tab AND k.contype = 'f'
    WHERE CASE WHEN k.conname ~ '^${INTERLEAVE_PREFIX}' THEN k.confdeltype <> 'c' ELSE h.tab = h.top AND ${staysBehind} END;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'Table % cannot have a ROW DELETION POLICY: these may refer to rows that it deletes: %.', bad, names USING ERRCODE = 'SN003';
  END IF;
END $$;
`
}

const TTL = `
CREATE OR REPLACE FUNCTION _spanner.require_ttl_column(tab regclass, col name) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE found oid;
BEGIN
  SELECT atttypid INTO found FROM pg_attribute WHERE attrelid = tab AND attname = col AND attnum > 0 AND NOT attisdropped;
  IF found IS NULL THEN
    RAISE EXCEPTION 'Cannot create ROW DELETION POLICY because there is no column named % in table %.', col, _spanner.shown(tab) USING ERRCODE = 'SN003';
  END IF;
  IF found NOT IN ('timestamptz'::regtype, 'spanner.commit_timestamp'::regtype) THEN
    RAISE EXCEPTION 'Cannot create ROW DELETION POLICY because column % in table % is not of type TIMESTAMP.', col, _spanner.shown(tab) USING ERRCODE = 'SN003';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.set_ttl(tab regclass, kind text, label text, col name, period interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF (kind = 'ADD') = EXISTS (SELECT FROM _spanner_meta.tables m WHERE m.relid = tab AND m.ttl IS NOT NULL) THEN
    RAISE EXCEPTION 'Table % % ROW DELETION POLICY.', _spanner.shown(tab), CASE kind WHEN 'ADD' THEN 'has a' ELSE 'has no' END USING ERRCODE = 'SN003';
  END IF;
  IF kind <> 'DROP' THEN
    PERFORM _spanner.require_ttl_column(tab, col);
    IF period <> date_trunc('day', period) THEN
      RAISE EXCEPTION 'The interval of a ROW DELETION POLICY is a whole number of days.' USING ERRCODE = 'SN003';
    ELSIF period < interval '0' THEN
      RAISE EXCEPTION 'The interval of a ROW DELETION POLICY cannot be negative.' USING ERRCODE = 'SN009';
    END IF;
  END IF;
  INSERT INTO _spanner_meta.tables (relid, ttl) VALUES (tab, label) ON CONFLICT (relid) DO UPDATE SET ttl = excluded.ttl;
  PERFORM _spanner.check_ttl();
END $$;
`

const INDEXES = `
CREATE OR REPLACE FUNCTION _spanner.require_stored_columns(label text, tab regclass, keys name[], stored name[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE col name;
BEGIN
  PERFORM _spanner.require_index_columns(label, tab, stored);
  FOREACH col IN ARRAY stored LOOP
    IF col = ANY (keys) THEN
      RAISE EXCEPTION 'Index % specifies stored column % already specified as primary key.', label, col USING ERRCODE = 'SN003';
    ELSIF col = ANY (_spanner.key_columns(tab)) THEN
      RAISE EXCEPTION 'Index % specifies stored column % which is a key of table %.', label, col, _spanner.shown(tab) USING ERRCODE = 'SN009';
    ELSIF cardinality(array_positions(stored, col)) > 1 THEN
      RAISE EXCEPTION 'Index % specifies key column % twice.', label, col USING ERRCODE = 'SN003';
    END IF;
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_index(idx regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
  SELECT a.attname, a.atttypid, CASE WHEN t.typcategory = 'A' THEN 'ARRAY' WHEN a.atttypid = 'jsonb'::regtype THEN 'PG.JSONB' ELSE 'PG.NUMERIC' END AS label
    INTO bad FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts-1])
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE i.indexrelid = idx AND (t.typcategory = 'A' OR a.atttypid IN ('jsonb'::regtype, 'numeric'::regtype)) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'Cannot reference % % in the creation of index %.', bad.label, bad.attname, _spanner.shown(idx) USING ERRCODE = 'SN009';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.alter_index_include(idx regclass, col name, is_added boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE def text := _spanner.index_definition(idx); old text; columns text;
  written text := (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = idx);
  is_deferred boolean := (SELECT indisexclusion FROM pg_index WHERE indexrelid = idx);
BEGIN
  IF is_added AND (SELECT col = ANY (_spanner.key_columns(i.indrelid)) OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = idx AND attname = col)
      FROM pg_index i WHERE i.indexrelid = idx) THEN
    RAISE EXCEPTION 'Column % is already existed in index %.', col, _spanner.shown(idx) USING ERRCODE = 'SN009';
  END IF;
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position) INTO columns
    FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position), pg_attribute a
    WHERE i.indexrelid = idx AND k.position > i.indnkeyatts AND a.attrelid = i.indrelid AND a.attnum = k.attnum AND (is_added OR a.attname <> col);
  IF is_added THEN columns := concat_ws(', ', columns, quote_ident(col)); END IF;
  old := substring(def FROM ' INCLUDE \\([^)]*\\)');
  IF old IS NOT NULL THEN def := replace(def, old, ''); END IF;
  IF columns IS NOT NULL AND columns <> '' THEN
    def := CASE WHEN def LIKE '% WHERE %' THEN regexp_replace(def, ' WHERE ', ' INCLUDE (' || columns || ') WHERE ') ELSE def || ' INCLUDE (' || columns || ')' END;
  END IF;
  PERFORM _spanner.drop_index(idx);
  EXECUTE def;
  IF is_deferred THEN PERFORM _spanner.defer_unique(written::regclass); END IF;
END $$;
`
