/*
 * How Spanner prints expressions of the schema and queries of views, made of how PostgreSQL prints them. Spanner's analysis differs in four
 * points that show: whole numbers are bigint constants, `'5'::bigint`; texts are one type, so that no column is cast from varchar to text;
 * a literal without a type is text, not of the column's type; and a query of one relation does not qualify its columns.
 */

const DEFAULTS = `
CREATE TABLE IF NOT EXISTS _spanner_meta.defaults (relid oid, attnum smallint, expression text NOT NULL, PRIMARY KEY (relid, attnum));
CREATE OR REPLACE FUNCTION _spanner.drop_default(tab regclass, col name) RETURNS void LANGUAGE sql AS $$
  DELETE FROM _spanner_meta.defaults d USING pg_attribute a
    WHERE d.relid = tab AND a.attrelid = tab AND a.attname = col AND d.attnum = a.attnum
$$;
CREATE OR REPLACE FUNCTION _spanner.keep_default(tab regclass, col name, query text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE printed text;
BEGIN
  PERFORM _spanner.drop_default(tab, col);
  EXECUTE 'CREATE VIEW _spanner_meta.draft (v) AS ' || query;
  printed := regexp_replace(pg_get_viewdef('_spanner_meta.draft'::regclass), '^\\s*SELECT (.*) AS v;$', '\\1');
  DROP VIEW _spanner_meta.draft;
  INSERT INTO _spanner_meta.defaults SELECT tab, attnum, printed FROM pg_attribute WHERE attrelid = tab AND attname = col;
END $$;
CREATE OR REPLACE FUNCTION _spanner.default_text(tab oid, num smallint, printed text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT _spanner.expression_text(COALESCE((SELECT expression FROM _spanner_meta.defaults WHERE relid = tab AND attnum = num), printed), tab)
$$;
`

/** A literal, a quoted name, a cast with its type, a word, a number, or any other character. */
const TOKEN = `'(?:[^']|'')*'|"(?:[^"]|"")*"|::[a-z ]+(?:\\(\\d+(?:,\\d+)?\\))?|[[:alpha:]_]\\w*|\\d+(?:\\.\\d+)?|.`

const EXPRESSIONS = `
CREATE OR REPLACE FUNCTION _spanner.expression_text(printed text, tab oid) RETURNS text LANGUAGE plpgsql STABLE AS $body$
DECLARE result text := printed; label text; list text;
BEGIN
  -- Most expressions have no texts: what follows looks through the table's columns.
  IF strpos(result, ')::text') > 0 THEN
    FOR label IN SELECT quote_ident(attname) FROM pg_attribute
      WHERE attrelid = tab AND attnum > 0 AND atttypid IN ('varchar'::regtype, 'varchar[]'::regtype) LOOP
      result := replace(replace(result, '(' || label || ')::text[]', label), '(' || label || ')::text', label);
    END LOOP;
    LOOP
      list := substring(result FROM $re$\\(ARRAY\\[(?:'(?:[^']|'')*'::character varying(?:, )?)+\\]\\)::text\\[\\]$re$);
      EXIT WHEN list IS NULL;
      result := replace(result, list, replace(substr(list, 2, length(list) - 10), '''::character varying', '''::text'));
    END LOOP;
  END IF;
  SELECT string_agg(CASE
      WHEN token ~ '^\\d+$' THEN quote_literal(token) || '::bigint'
      WHEN token ~ '^::(integer|smallint)' THEN regexp_replace(token, 'integer|smallint', 'bigint')
      ELSE token END, '' ORDER BY place)
    INTO result FROM (SELECT m[1] AS token, place FROM regexp_matches(result, $re$(${TOKEN})$re$, 'g') WITH ORDINALITY t(m, place)) tokens;
  RETURN regexp_replace(result, $re$\\(('\\d+'::bigint)\\)::bigint$re$, '\\1', 'g');
END $body$;
`

/** What may follow the FROM of a query with one relation. */
const AFTER_FROM = ' WHERE | GROUP BY | HAVING | ORDER BY | LIMIT | OFFSET |$'

const VIEWS = `
CREATE OR REPLACE FUNCTION _spanner.view_text(view oid) RETURNS text LANGUAGE plpgsql STABLE AS $body$
DECLARE result text := regexp_replace(rtrim(pg_get_viewdef(view), ';'), '\\s*\\n\\s*', ' ', 'g'); parts text[]; label text;
BEGIN
  result := ltrim(result);
  parts := regexp_match(result, $re$^SELECT .* FROM ((?:\\w+|"[^"]+")(?:\\.(?:\\w+|"[^"]+"))?)(?: (\\w+|"[^"]+"))??(?=${AFTER_FROM})$re$);
  IF parts IS NULL OR result ~ '^.+\\mSELECT\\M' THEN RETURN result; END IF;
  label := COALESCE(parts[2], regexp_replace(parts[1], '^.*\\.', ''));
  SELECT string_agg(m[1], '' ORDER BY place) INTO result
    FROM regexp_matches(result, $re$('(?:[^']|'')*'|"(?:[^"]|"")*"\\.?|\\w+\\.?|.)$re$, 'g') WITH ORDINALITY t(m, place) WHERE m[1] <> label || '.';
  RETURN _spanner.expression_text(result, (SELECT d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.ev_class = view AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> view LIMIT 1));
END $body$;
`

/** SQL that installs the functions that print. Run by the role that owns the database, after `functionsScript`. */
export function printingScript(): string {
  return [EXPRESSIONS, DEFAULTS, VIEWS].join('\n')
}
