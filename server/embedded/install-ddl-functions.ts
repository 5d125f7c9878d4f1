import { INTERLEAVE_PREFIX, MANAGED_INDEX } from './ddl-names.ts'
import { tableOptions } from './install-table-options.ts'
import { DEFER_UNIQUE_INDEXES, UNIQUE_INDEXES } from './install-unique-indexes.ts'
import type { Profile } from './profile.ts'

/*
 * What DDL has to look up in the catalog before or while it acts, as functions of `_spanner`. They raise Spanner's texts under the SQLSTATE
 * `SN` + gRPC code in three digits (error-texts.ts). Foreign keys need a unique index on what they refer to: Spanner makes hidden ones, under
 * the names that MANAGED_INDEX matches.
 */

const LOOKUPS = `
CREATE OR REPLACE FUNCTION _spanner.key_columns(tab regclass) RETURNS name[] LANGUAGE sql STABLE AS $$
  SELECT ARRAY(SELECT a.attname FROM pg_constraint c, unnest(c.conkey) WITH ORDINALITY k(attnum, position), pg_attribute a
    WHERE c.conrelid = tab AND c.contype = 'p' AND a.attrelid = tab AND a.attnum = k.attnum ORDER BY position)
$$;
CREATE OR REPLACE FUNCTION _spanner.shown(tab regclass) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tab
$$;
CREATE OR REPLACE FUNCTION _spanner.find_table(written text, shown text) RETURNS regclass LANGUAGE plpgsql STABLE AS $$
DECLARE found regclass := to_regclass(written);
BEGIN
  IF found IS NULL OR (SELECT relkind FROM pg_class WHERE oid = found) NOT IN ('r') THEN
    RAISE EXCEPTION 'Table not found: %', shown USING ERRCODE = 'SN005';
  END IF;
  RETURN found;
END $$;
CREATE OR REPLACE FUNCTION _spanner.require_columns(tab regclass, columns name[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE missing name;
BEGIN
  SELECT c INTO missing FROM unnest(columns) c
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = tab AND attname = c AND attnum > 0 AND NOT attisdropped) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'Column not found in table %: %', _spanner.shown(tab), missing USING ERRCODE = 'SN005';
  END IF;
END $$;
`

const CHECKS = `
CREATE OR REPLACE FUNCTION _spanner.check_free_name(home text, label text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF to_regnamespace(quote_ident(home)) IS NULL THEN
    RAISE EXCEPTION 'Schema not found: %', home USING ERRCODE = 'SN005';
  END IF;
  IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = home AND lower(c.relname) = lower(label))
    OR (home = 'public' AND EXISTS (SELECT FROM _spanner_meta.change_streams s WHERE lower(s.name) = lower(label))) THEN
    RAISE EXCEPTION 'Duplicate name in schema: %.', CASE WHEN home = 'public' THEN '' ELSE home || '.' END || label USING ERRCODE = 'SN009';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.default_kind(kind text, label text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF EXISTS (SELECT FROM _spanner_meta.options WHERE name = 'default_sequence_kind') THEN RETURN kind || '-default'; END IF;
  IF kind = 'identity' THEN
    RAISE EXCEPTION 'The sequence kind of an identity column % is not specified. Please specify the sequence kind explicitly or set the database option \`default_sequence_kind\`.',
      label USING ERRCODE = 'SN003';
  END IF;
  RAISE EXCEPTION 'The sequence % does not have a valid sequence kind. Please specify the sequence kind explicitly or set the database option \`default_sequence_kind\`.',
    label USING ERRCODE = 'SN003';
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_option(option text, new_value text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF option = 'default_time_zone' THEN
    IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = new_value) THEN
      RAISE EXCEPTION 'Invalid time zone: %.', new_value USING ERRCODE = 'SN003';
    END IF;
    IF EXISTS (SELECT FROM information_schema.tables WHERE table_type = 'BASE TABLE') THEN
      RAISE EXCEPTION 'Database option default_time_zone cannot be changed while the database has tables.' USING ERRCODE = 'SN009';
    END IF;
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_nullable(tab regclass, col name) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM _spanner.require_columns(tab, ARRAY[col]);
  IF col = ANY (_spanner.key_columns(tab)) THEN
    RAISE EXCEPTION 'Cannot change key column %.%.', _spanner.shown(tab), col USING ERRCODE = 'SN003';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.require_index_columns(label text, tab regclass, columns name[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE missing name;
BEGIN
  SELECT c INTO missing FROM unnest(columns) c
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = tab AND attname = c AND attnum > 0 AND NOT attisdropped) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'Index % specifies key column % which does not exist in the index''s base table.', label, missing USING ERRCODE = 'SN003';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.require_token_list(label text, tab regclass, col name) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM _spanner.require_index_columns(label, tab, ARRAY[col]);
  IF (SELECT atttypid FROM pg_attribute WHERE attrelid = tab AND attname = col) <> 'spanner.tokenlist'::regtype THEN
    RAISE EXCEPTION 'Search index % cannot be created on column %, which is not of type TOKENLIST.', label, col USING ERRCODE = 'SN009';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.find_to_drop(written text, shown text, kind text, label text) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE found regclass := to_regclass(written); list text;
BEGIN
  IF found IS NULL OR (SELECT relkind::text FROM pg_class WHERE oid = found) <> kind THEN
    RAISE EXCEPTION '% not found: %', label, shown USING ERRCODE = 'SN005';
  END IF;
  IF kind = 'i' AND (SELECT c.relname FROM pg_class c WHERE c.oid = found) ~ '${MANAGED_INDEX}' THEN
    RAISE EXCEPTION 'Cannot drop index % that is managed by a foreign key.', shown USING ERRCODE = 'SN009';
  END IF;
  SELECT string_agg(DISTINCT _spanner.shown(r.ev_class), ',') INTO list FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = found AND r.ev_class <> found;
  IF list IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop % \`%\` on which there are dependent views: %.', upper(label), shown, list USING ERRCODE = 'SN009';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.find_index(written text, shown text) RETURNS regclass LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM _spanner.find_to_drop(written, shown, 'i', 'Index');
  RETURN written::regclass;
END $$;
`

const FOREIGN_KEYS = `
CREATE OR REPLACE FUNCTION _spanner.has_index(tab regclass, columns name[], must_be_unique boolean) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = tab AND i.indpred IS NULL AND i.indexprs IS NULL
    AND CASE WHEN must_be_unique
      THEN i.indisunique AND i.indnkeyatts = cardinality(columns) AND (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
          WHERE a.attrelid = tab AND a.attnum = ANY (i.indkey[0:i.indnkeyatts-1])) = ARRAY(SELECT c FROM unnest(columns) c ORDER BY c)
      ELSE i.indnkeyatts >= cardinality(columns) AND ARRAY(SELECT a.attname FROM generate_series(0, cardinality(columns)-1) g
          JOIN pg_attribute a ON a.attrelid = tab AND a.attnum = i.indkey[g] ORDER BY g) = columns END)
$$;
CREATE OR REPLACE FUNCTION _spanner.make_index(tab regclass, columns name[], kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE label text; list text;
BEGIN
  SELECT relname INTO label FROM pg_class WHERE oid = tab;
  SELECT string_agg(quote_ident(c), ', ') INTO list FROM unnest(columns) c;
  EXECUTE format('CREATE %s INDEX IF NOT EXISTS %I ON %s (%s)', CASE WHEN kind = 'U' THEN 'UNIQUE' ELSE '' END,
    left('IDX_' || label || '_' || array_to_string(columns, '_'), 44) || '_' || kind || '_' ||
      upper(substr(md5(tab::text || array_to_string(columns, ',')), 1, 16)), tab, list);
END $$;
CREATE OR REPLACE FUNCTION _spanner.storage_type(type oid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN type IN ('text'::regtype, 'varchar'::regtype) THEN 'string' WHEN type = 'spanner.commit_timestamp'::regtype THEN 'timestamptz'
    ELSE (SELECT typname FROM pg_type WHERE oid = type) END
$$;
CREATE OR REPLACE FUNCTION _spanner.prepare_foreign_key(child regclass, columns name[], parent regclass, referenced name[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE missing name;
BEGIN
  PERFORM _spanner.require_columns(child, columns);
  SELECT c INTO missing FROM unnest(referenced) c
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = parent AND attname = c AND attnum > 0 AND NOT attisdropped) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'Column % referenced by a foreign key does not exist in table %.', missing, _spanner.shown(parent) USING ERRCODE = 'SN009';
  END IF;
  IF (SELECT array_agg(_spanner.storage_type(a.atttypid) ORDER BY u.pos) FROM unnest(columns) WITH ORDINALITY u(col, pos)
      JOIN pg_attribute a ON a.attrelid = child AND a.attname = u.col) <> (SELECT array_agg(_spanner.storage_type(a.atttypid) ORDER BY u.pos)
      FROM unnest(referenced) WITH ORDINALITY u(col, pos) JOIN pg_attribute a ON a.attrelid = parent AND a.attname = u.col) THEN
    RAISE EXCEPTION 'The types of the columns of a foreign key and of those that it references differ.' USING ERRCODE = 'SN009';
  END IF;
  IF NOT _spanner.has_index(parent, referenced, true) THEN PERFORM _spanner.make_referenceable(parent, referenced); END IF;
  IF NOT _spanner.has_index(child, columns, false) THEN PERFORM _spanner.make_index(child, columns, 'N'); END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.drop_unused_indexes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE unused regclass;
BEGIN
  FOR unused IN SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname ~ '${MANAGED_INDEX}'
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conindid = i.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = i.indrelid
        AND k.conkey[1] = i.indkey[0] AND cardinality(k.conkey) = i.indnkeyatts)
  LOOP
    EXECUTE format('DROP INDEX %s', unused);
  END LOOP;
  PERFORM _spanner.defer_unique_indexes();
END $$;
CREATE OR REPLACE FUNCTION _spanner.interleave(child regclass, parent regclass, kind text, on_delete text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE keys name[] := _spanner.key_columns(parent); own name[] := _spanner.key_columns(child); list text; label text;
BEGIN
  IF kind = 'IN PARENT' THEN
    IF keys <> own[1:cardinality(keys)] THEN
      RAISE EXCEPTION 'Interleaving table % within the context of table % requires that the primary key of % starts with the primary key of %.',
        _spanner.shown(child), _spanner.shown(parent), _spanner.shown(child), _spanner.shown(parent) USING ERRCODE = 'SN009';
    END IF;
    SELECT string_agg(quote_ident(c), ', ') INTO list FROM unnest(keys) c;
    SELECT relname INTO label FROM pg_class WHERE oid = child;
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%s) REFERENCES %s (%s) ON DELETE %s', child, '${INTERLEAVE_PREFIX}' || label,
      list, parent, list, on_delete);
  END IF;
  INSERT INTO _spanner_meta.tables (relid, parent, interleave, on_delete) VALUES (child, parent, kind, CASE WHEN kind = 'IN PARENT' THEN on_delete END)
    ON CONFLICT (relid) DO UPDATE SET parent = excluded.parent, interleave = excluded.interleave, on_delete = excluded.on_delete;
  PERFORM _spanner.check_ttl();
END $$;
CREATE OR REPLACE FUNCTION _spanner.set_on_delete(child regclass, action text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE above regclass := (SELECT m.parent FROM _spanner_meta.tables m WHERE m.relid = child AND m.interleave = 'IN PARENT'); label name;
BEGIN
  IF above IS NULL THEN
    RAISE EXCEPTION 'Cannot change ON DELETE of table %, which is not interleaved in a parent.', _spanner.shown(child) USING ERRCODE = 'SN003';
  END IF;
  SELECT conname INTO label FROM pg_constraint WHERE conrelid = child AND contype = 'f' AND conname ~ '^${INTERLEAVE_PREFIX}';
  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', child, label);
  PERFORM _spanner.interleave(child, above, 'IN PARENT', action);
END $$;
`

const SEQUENCES = `
CREATE OR REPLACE FUNCTION _spanner.register_sequence(seq regclass, start_with bigint, skip_min bigint, skip_max bigint, kind text)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO _spanner_meta.sequences VALUES (seq, start_with, skip_min, skip_max, kind LIKE 'identity%', kind <> 'identity-default')
$$;
CREATE OR REPLACE FUNCTION _spanner.add_identity(tab regclass, col name, start_with bigint, skip_min bigint, skip_max bigint, kind text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE seq text; home name; label name;
BEGIN
  SELECT n.nspname, c.relname INTO home, label FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tab;
  seq := format('%I.%I', home, '_identity_' || tab::oid || '_' ||
    (SELECT attnum FROM pg_attribute WHERE attrelid = tab AND attname = col));
  EXECUTE format('CREATE SEQUENCE %s START %s OWNED BY %s.%I', seq, start_with, tab, col);
  PERFORM _spanner.register_sequence(seq::regclass, start_with, skip_min, skip_max, kind);
  EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT _spanner.identity_next(%L::regclass)', tab, col, seq);
END $$;
CREATE OR REPLACE FUNCTION _spanner.identity_of(tab regclass, col name) RETURNS regclass LANGUAGE plpgsql STABLE AS $$
DECLARE seq regclass := pg_get_serial_sequence(tab::text, col);
BEGIN
  IF seq IS NULL THEN
    RAISE EXCEPTION 'Column % is not an identity column in table %.', col, _spanner.shown(tab) USING ERRCODE = 'SN009';
  END IF;
  RETURN seq;
END $$;
CREATE OR REPLACE FUNCTION _spanner.alter_sequence(seq regclass, restart bigint, has_skip boolean, new_min bigint, new_max bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF restart IS NOT NULL THEN
    EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', seq, restart);
    UPDATE _spanner_meta.sequences SET start_with = restart WHERE relid = seq;
  END IF;
  IF has_skip THEN
    UPDATE _spanner_meta.sequences SET skip_min = new_min, skip_max = new_max WHERE relid = seq;
  END IF;
END $$;
CREATE OR REPLACE FUNCTION _spanner.find_named_sequence(written text, shown text) RETURNS regclass LANGUAGE plpgsql STABLE AS $$
DECLARE found regclass := to_regclass(written);
BEGIN
  IF found IS NULL OR NOT EXISTS (SELECT FROM _spanner_meta.sequences WHERE relid = found AND NOT is_identity) THEN
    RAISE EXCEPTION 'Sequence not found: %', shown USING ERRCODE = 'SN005';
  END IF;
  RETURN found;
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_drop_sequence(seq regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE user_of text;
BEGIN
  SELECT format('%s.%s', _spanner.shown(d.adrelid), a.attname) INTO user_of
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(' || quote_literal(_spanner.shown(seq)) || '::text)%' LIMIT 1;
  IF user_of IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop sequence \`%\` that is used by column \`%\`.', _spanner.shown(seq), user_of USING ERRCODE = 'SN009';
  END IF;
  DELETE FROM _spanner_meta.sequences WHERE relid = seq;
END $$;
`

const DROPS = `
CREATE OR REPLACE FUNCTION _spanner.check_drop_table(tab regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE list text;
BEGIN
  SELECT string_agg(_spanner.shown(t.relid), ',' ORDER BY 1) INTO list FROM _spanner_meta.tables t WHERE t.parent = tab;
  IF list IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop table % with interleaved tables: %.', _spanner.shown(tab), list USING ERRCODE = 'SN009';
  END IF;
  SELECT string_agg(_spanner.shown(i.indexrelid), ',' ORDER BY c.relname) INTO list FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = tab AND NOT i.indisprimary AND c.relname !~ '${MANAGED_INDEX}';
  IF list IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop table % with indices: %.', _spanner.shown(tab), list USING ERRCODE = 'SN009';
  END IF;
  PERFORM _spanner.check_untracked_table(tab);
  SELECT string_agg(conname, ',' ORDER BY conname) INTO list FROM pg_constraint WHERE confrelid = tab AND conrelid <> tab AND contype = 'f';
  IF list IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop table \`%\`. It is referenced by one or more foreign keys: \`%\`. You must drop the foreign keys before dropping the table.',
      _spanner.shown(tab), list USING ERRCODE = 'SN009';
  END IF;
  DELETE FROM _spanner_meta.tables WHERE relid = tab;
  DELETE FROM _spanner_meta.defaults WHERE relid = tab;
  DELETE FROM _spanner_meta.sequences s USING pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = s.relid AND d.refobjid = tab AND d.deptype = 'a';
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_drop_column(tab regclass, col name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE num smallint; user_of text;
BEGIN
  PERFORM _spanner.require_columns(tab, ARRAY[col]);
  SELECT attnum INTO num FROM pg_attribute WHERE attrelid = tab AND attname = col;
  IF col = ANY (_spanner.key_columns(tab)) THEN
    RAISE EXCEPTION 'Cannot drop key column % from table %.', col, _spanner.shown(tab) USING ERRCODE = 'SN003';
  END IF;
  PERFORM _spanner.check_untracked_column(tab, col);
  SELECT c.relname INTO user_of FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = tab AND c.relname !~ '${MANAGED_INDEX}' AND (num = ANY (i.indkey) OR EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = tab AND d.refobjsubid = num)) LIMIT 1;
  IF user_of IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop column \`%\` from table \`%\` because it is used by index \`%\`.', col, _spanner.shown(tab), user_of USING ERRCODE = 'SN009';
  END IF;
  SELECT conname INTO user_of FROM pg_constraint WHERE (conrelid = tab AND num = ANY (conkey)) OR (confrelid = tab AND num = ANY (confkey)) LIMIT 1;
  IF user_of IS NOT NULL THEN
    RAISE EXCEPTION 'Cannot drop column \`%\` from table \`%\` because it is used by constraint \`%\`.', col, _spanner.shown(tab), user_of USING ERRCODE = 'SN009';
  END IF;
  IF EXISTS (SELECT FROM _spanner_meta.tables m WHERE m.relid = tab AND m.ttl::text LIKE '% ON ' || replace(quote_ident(col), '_', '\\_')) THEN
    RAISE EXCEPTION 'Cannot drop column % from table %: its ROW DELETION POLICY is on it.', col, _spanner.shown(tab) USING ERRCODE = 'SN003';
  END IF;
  DELETE FROM _spanner_meta.sequences WHERE relid = pg_get_serial_sequence(tab::text, col)::regclass;
END $$;
CREATE OR REPLACE FUNCTION _spanner.check_alter_type(tab regclass, col name, new_type text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE was text; becomes text := lower(new_type);
BEGIN
  PERFORM _spanner.require_columns(tab, ARRAY[col]);
  SELECT format_type(atttypid, NULL) INTO was FROM pg_attribute WHERE attrelid = tab AND attname = col;
  was := CASE WHEN was IN ('text', 'character varying') THEN 'string' WHEN was IN ('text[]', 'character varying[]') THEN 'string[]'
    WHEN was IN ('spanner.commit_timestamp', 'timestamp with time zone') THEN 'timestamp' ELSE was END;
  becomes := CASE WHEN becomes ~ '^(text|varchar|character varying)( *\\([0-9]+\\))?$' THEN 'string'
    WHEN becomes ~ '^(text|varchar|character varying)( *\\([0-9]+\\))?\\[\\]$' THEN 'string[]'
    WHEN becomes IN ('spanner.commit_timestamp', 'timestamptz', 'timestamp with time zone') THEN 'timestamp' ELSE becomes END;
  IF was IN ('bytea', 'string') AND becomes IN ('bytea', 'string') AND was <> becomes THEN
    RETURN CASE WHEN becomes = 'string' THEN format(' USING convert_from(%I, ''UTF8'')', col) ELSE format(' USING convert_to(%I, ''UTF8'')', col) END;
  END IF;
  IF was <> becomes AND (becomes IN ('string', 'string[]', 'timestamp') OR format_type(becomes::regtype, NULL) <> was) THEN
    RAISE EXCEPTION 'Cannot change type of column \`%.%\` from % to %.', _spanner.shown(tab), col, was, new_type USING ERRCODE = 'SN003';
  END IF;
  RETURN '';
END $$;
CREATE OR REPLACE FUNCTION _spanner.alter_type(tab regclass, col name, new_type text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s%s', tab, col, new_type, _spanner.check_alter_type(tab, col, new_type));
END $$;
`

/** Foreign keys of databases that were made when none was deferrable. */
const DEFERRABLE = `
DO $$ DECLARE k record; BEGIN
  FOR k IN SELECT conrelid::regclass AS tab, conname FROM pg_constraint
      WHERE contype = 'f' AND NOT condeferrable AND conname !~ '^${INTERLEAVE_PREFIX}' AND conparentid = 0 LOOP
    EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE', k.tab, k.conname);
  END LOOP;
END $$;
`

/** SQL that installs the helpers of DDL. Run by the role that owns the database, after `functionsScript`. */
export function ddlFunctionsScript(profile: Profile): string {
  const scripts = [
    LOOKUPS,
    CHECKS,
    UNIQUE_INDEXES,
    FOREIGN_KEYS,
    SEQUENCES,
    DROPS,
    tableOptions(profile),
  ]
  return [...scripts, DEFERRABLE, DEFER_UNIQUE_INDEXES].join('\n')
}
