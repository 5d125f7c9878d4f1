import { readVarlena } from '../types/varlena.ts'
import { FIRST_USER_OID } from './builtin-catalog.ts'
import { NodeFields } from './node-fields.ts'
import { type NodeObject, type NodeValue, readNodeText } from './node-text.ts'
import { isPerformedOid, performedOids } from './performed-functions.ts'

/** What a query asks of its session, beside its own text: found in the rewritten tree, where views are expanded. */
export interface SessionReads {
  /** The settings that current_setting() is asked for by a constant name, in lower case. */
  readonly settings: ReadonlySet<string>
  /** Whether a view of a client's holds the start of the transaction (now(), CURRENT_TIMESTAMP, CURRENT_DATE ...) or a call that the proxy performs. */
  readonly mustExpandViews: boolean
  /** How often set_config() is called, wherever that is. */
  readonly setConfigCalls: number
}

const NOTHING: SessionReads = { settings: new Set(), mustExpandViews: false, setConfigCalls: 0 }

/** current_setting(text) and current_setting(text, boolean). */
const CURRENT_SETTING = new Set([2077, 3294])
/** now() and transaction_timestamp(). */
const TRANSACTION_START = new Set([1299, 2647])
const SET_CONFIG = 2078
/** SVFOP_LOCALTIMESTAMP_N, the last of the moments in SQLValueFunctionOp (src/include/nodes/primnodes.h); roles follow. */
const LAST_MOMENT = 8

/** Most trees have none of them, and are not worth reading again. */
const WORTH_READING = /\bSQLVALUEFUNCTION\b|:funcid\s+(?:2077|2078|3294|1299|2647)\b/
const READS_VIEW = /:relkind\s+v\b/

let performedCall: RegExp | undefined

function isWorthReading(treeText: string): boolean {
  if (WORTH_READING.test(treeText)) return true
  if (!READS_VIEW.test(treeText)) return false
  performedCall ??= new RegExp(`:funcid\\s+(?:${performedOids().join('|')})\\b`)
  return performedCall.test(treeText)
}

/**
 * Looks through what debug_print_rewritten printed.
 *
 * @throws Bug where the text is no node text.
 */
export function readSessionReads(treeText: string): SessionReads {
  if (!isWorthReading(treeText)) return NOTHING
  const settings = new Set<string>()
  const found = { settings, mustExpandViews: false, setConfigCalls: 0 }
  look(readNodeText(treeText), false, found)
  return found
}

interface Found {
  readonly settings: Set<string>
  mustExpandViews: boolean
  setConfigCalls: number
}

function look(value: NodeValue, inView: boolean, found: Found): void {
  if (value?.kind === 'list') {
    for (const item of value.items) look(item, inView, found)
  }
  if (value?.kind !== 'object') return
  if (inView && (isMoment(value) || isPerformedCall(value))) found.mustExpandViews = true
  if (isCallOf(value, SET_CONFIG)) found.setConfigCalls++
  const setting = settingAskedFor(value)
  if (setting !== undefined) found.settings.add(setting)
  const isInView = inView || isQueryOfView(value)
  for (const child of value.fields.values()) look(child, isInView, found)
}

/** The rewriter leaves the view's own entries, OLD and NEW, in the range table of its query. */
function isQueryOfView(node: NodeObject): boolean {
  if (node.tag !== 'QUERY') return false
  return new NodeFields(node).objects('rtable').some((entry) => {
    const fields = new NodeFields(entry)
    return fields.text('relkind') === 'v' && fields.int('relid') >= FIRST_USER_OID
  })
}

function isMoment(node: NodeObject): boolean {
  const fields = new NodeFields(node)
  if (node.tag === 'SQLVALUEFUNCTION') return fields.int('op') <= LAST_MOMENT
  return node.tag === 'FUNCEXPR' && TRANSACTION_START.has(fields.int('funcid'))
}

function isPerformedCall(node: NodeObject): boolean {
  return node.tag === 'FUNCEXPR' && isPerformedOid(new NodeFields(node).int('funcid'))
}

function isCallOf(node: NodeObject, funcid: number): boolean {
  return node.tag === 'FUNCEXPR' && new NodeFields(node).int('funcid') === funcid
}

function settingAskedFor(node: NodeObject): string | undefined {
  if (node.tag !== 'FUNCEXPR') return undefined
  const fields = new NodeFields(node)
  const [name] = fields.items('args')
  if (!CURRENT_SETTING.has(fields.int('funcid')) || name?.kind !== 'object') return undefined
  const bytes = name.tag === 'CONST' ? new NodeFields(name).bytes('constvalue') : undefined
  return bytes === undefined ? undefined : readVarlena(bytes, 0)?.data.toString().toLowerCase()
}
