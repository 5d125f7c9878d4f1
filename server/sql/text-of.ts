import { OID } from '../types/pg-type.ts'
import type { CallSite } from './dialect.ts'

const TEXTS = new Set<number>([OID.text, OID.varchar, OID.name, OID.uuid, OID.unknown])
const CAST = new Set<number>([OID.int2, OID.int4, OID.int8, OID.oid, OID.numeric, OID.jsonb])

/**
 * The text that PostgreSQL's output function gives for a value; undefined for types where Spanner has no such text: floats, times, what
 * depends on a setting.
 */
export function outputText(sql: string, typeOid: number, site: CallSite): string | undefined {
  if (TEXTS.has(typeOid)) return sql
  if (CAST.has(typeOid)) return `${sql}::text`
  if (typeOid === OID.date && site.dateStyle.startsWith('ISO'))
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE ${sql}::text END`
  if (typeOid === OID.bool) return `CASE WHEN ${sql} THEN 't' WHEN NOT ${sql} THEN 'f' END`
  return undefined
}

/** As {@link outputText} for a cast to text, which spells booleans out and takes the blanks from the end of char(n). */
export function castText(sql: string, typeOid: number, site: CallSite): string | undefined {
  if (typeOid === OID.bool) return `${sql}::text`
  return typeOid === OID.bpchar ? sql : outputText(sql, typeOid, site)
}
