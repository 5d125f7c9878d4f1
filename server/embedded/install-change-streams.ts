/*
 * Change streams are kept as they are declared: what may be dropped depends on them, and they are shown. Nothing reads them.
 */

const TABLES = `
CREATE TABLE IF NOT EXISTS _spanner_meta.change_streams (name text PRIMARY KEY, tracks_all boolean NOT NULL);
CREATE TABLE IF NOT EXISTS _spanner_meta.change_stream_tables (
  stream text NOT NULL REFERENCES _spanner_meta.change_streams ON DELETE CASCADE, relid oid NOT NULL, columns name[], PRIMARY KEY (stream, relid));
CREATE TABLE IF NOT EXISTS _spanner_meta.change_stream_options (
  stream text NOT NULL REFERENCES _spanner_meta.change_streams ON DELETE CASCADE, name text NOT NULL, value text NOT NULL, PRIMARY KEY (stream, name));
`

const FUNCTIONS = `
CREATE OR REPLACE FUNCTION _spanner.find_change_stream(label text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM _spanner_meta.change_streams WHERE name = label) THEN
    RAISE EXCEPTION 'Change Stream not found: %', label USING ERRCODE = 'SN005';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.track(stream text, written text, shown text, tracked name[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE tab regclass := to_regclass(written); col name;
BEGIN
  IF tab IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = tab AND relkind = 'r') THEN
    RAISE EXCEPTION 'Change Stream % cannot track % because either Change Streams do not track database objects of this type, or this Table does not exist.',
      stream, shown USING ERRCODE = 'SN009';
  END IF;
  FOREACH col IN ARRAY coalesce(tracked, '{}') LOOP
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = tab AND attname = col AND attnum > 0 AND NOT attisdropped) THEN
      RAISE EXCEPTION 'Change Stream % cannot track column % because it does not exist in Table %.', stream, col, shown USING ERRCODE = 'SN009';
    END IF;
    IF col = ANY (_spanner.key_columns(tab)) THEN
      RAISE EXCEPTION 'The FOR clause of Change Stream % should not list the primary key column % of Table %. Please list non-key columns only, because primary key columns are always tracked if the table is tracked.',
        stream, col, shown USING ERRCODE = 'SN009';
    END IF;
  END LOOP;
  INSERT INTO _spanner_meta.change_stream_tables VALUES (stream, tab, tracked);
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_untracked_table(tab regclass) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE list text; total bigint;
BEGIN
  SELECT string_agg(stream, ',' ORDER BY stream), count(*) INTO list, total FROM _spanner_meta.change_stream_tables WHERE relid = tab;
  IF list IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop table %. Table % is tracked by % Change Stream: %. Tables explicitly tracked by a Change Stream cannot be dropped. Please drop the Change Stream or modify its FOR clause to stop tracking the table explicitly before dropping the table.',
      _spanner.shown(tab), _spanner.shown(tab), total, list USING ERRCODE = 'SN009';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_untracked_column(tab regclass, col name) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE list text; total bigint;
BEGIN
  SELECT string_agg(stream, ',' ORDER BY stream), count(*) INTO list, total FROM _spanner_meta.change_stream_tables
    WHERE relid = tab AND col = ANY (columns);
  IF list IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop column %.% . Column %.% is tracked by % Change Stream: %. Columns explicitly tracked by a Change Stream cannot be dropped. Please alter the Change Stream to stop tracking the column before dropping the column.',
      _spanner.shown(tab), col, _spanner.shown(tab), col, total, list USING ERRCODE = 'SN009';
  END IF;
END $$;
`

/** SQL that gives a database what change streams need. Run by the role that owns the database, after the functions of DDL. */
export function changeStreamsScript(): string {
  return ['SET search_path = pg_catalog;', TABLES, FUNCTIONS].join('\n')
}
