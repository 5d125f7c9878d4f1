import { MANAGED_INDEX } from './ddl-names.ts'

/*
 * Spanner checks unique indexes when a statement is through, and for mutations when all of a Commit are applied; those of PostgreSQL refuse each row by itself. An
 * exclusion constraint over the same B-tree with `=` is the same and can wait, in whatever order its columns are sorted and with a filter,
 * which a unique constraint cannot have. Only what a foreign key refers to has to be a unique index.
 */

/** The functions that make unique indexes, in the script of `install-ddl-functions.ts`. */
export const UNIQUE_INDEXES = `
CREATE OR REPLACE FUNCTION _spanner.index_definition(idx regclass) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN i.indisexclusion THEN regexp_replace(pg_get_indexdef(idx), '^CREATE INDEX', 'CREATE UNIQUE INDEX') ELSE pg_get_indexdef(idx) END
  FROM pg_index i WHERE i.indexrelid = idx
$$;
CREATE OR REPLACE FUNCTION _spanner.drop_index(idx regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE tab regclass; label name;
BEGIN
  SELECT i.indrelid, c.relname INTO tab, label FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indexrelid = idx AND i.indisexclusion;
  IF tab IS NULL THEN
    EXECUTE format('DROP INDEX %s', idx);
  ELSE
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', tab, label);
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.defer_unique(idx regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE tab regclass; label name; keys text; stored text; filter text;
BEGIN
  SELECT i.indrelid, c.relname, pg_get_expr(i.indpred, i.indrelid) INTO tab, label, filter
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indexrelid = idx;
  SELECT string_agg(CASE WHEN k.position <= i.indnkeyatts THEN quote_ident(a.attname) || CASE (i.indoption::int2[])[k.position - 1] WHEN 0 THEN ''
        WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' ELSE ' DESC' END || ' WITH OPERATOR(pg_catalog.=)' END, ', ' ORDER BY k.position),
      string_agg(CASE WHEN k.position > i.indnkeyatts THEN quote_ident(a.attname) END, ', ' ORDER BY k.position) INTO keys, stored
    FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position), pg_attribute a
    WHERE i.indexrelid = idx AND a.attrelid = i.indrelid AND a.attnum = k.attnum;
  EXECUTE format('DROP INDEX %s', idx);
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I EXCLUDE USING btree (%s)%s%s DEFERRABLE', tab, label, keys, ' INCLUDE (' || stored || ')',
    ' WHERE (' || filter || ')');
END $$;
CREATE OR REPLACE FUNCTION _spanner.defer_unique_indexes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE idx regclass;
BEGIN
  FOR idx IN SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.indisunique AND NOT i.indisprimary AND c.relname !~ '${MANAGED_INDEX}' AND n.nspname !~ '^(pg_|_spanner|spanner$|information_schema$)'
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conindid = i.indexrelid)
  LOOP
    PERFORM _spanner.defer_unique(idx);
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION _spanner.drop_constraint(tab regclass, label name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = tab AND conname = label AND contype = 'x') THEN
    RAISE EXCEPTION 'constraint "%" of relation "%" does not exist', label, _spanner.shown(tab) USING ERRCODE = 'undefined_object';
  END IF;
  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', tab, label);
END $$;
CREATE OR REPLACE FUNCTION _spanner.make_referenceable(tab regclass, columns name[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE idx regclass; def text;
BEGIN
  SELECT i.indexrelid, _spanner.index_definition(i.indexrelid) INTO idx, def FROM pg_index i
    WHERE i.indrelid = tab AND i.indisexclusion AND i.indpred IS NULL AND i.indnkeyatts = cardinality(columns)
      AND (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
        WHERE a.attrelid = tab AND a.attnum = ANY (i.indkey[0:i.indnkeyatts-1])) = ARRAY(SELECT c FROM unnest(columns) c ORDER BY c) LIMIT 1;
  IF idx IS NULL THEN
    PERFORM _spanner.make_index(tab, columns, 'U');
  ELSE
    PERFORM _spanner.drop_index(idx);
    EXECUTE def;
  END IF;
END $$;
`

/** The unique indexes of databases that were made when none could wait. */
export const DEFER_UNIQUE_INDEXES = 'SELECT _spanner.defer_unique_indexes();'
