import { status as GRPC } from '@grpc/grpc-js'
import { NodeFields } from '../sql/node-fields.ts'
import type { NodeObject } from '../sql/node-text.ts'
import type { DatabaseNames } from './database-names.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { Profile } from './profile.ts'

/** What a rule sees of a node. */
export interface Visited {
  readonly node: NodeObject
  readonly fields: NodeFields
  readonly parents: readonly NodeObject[]
  readonly names: DatabaseNames
  readonly profile: Profile
}

/** Throws UNIMPLEMENTED, or another code. */
export function refuse(text: string, code: number | undefined = GRPC.UNIMPLEMENTED): never {
  throw new GrpcStatus(code, text)
}

/** The field that says what type a node's value has. */
const TYPE_FIELDS: Readonly<Record<string, string>> = {
  VAR: 'vartype',
  CONST: 'consttype',
  PARAM: 'paramtype',
  FUNCEXPR: 'funcresulttype',
  OPEXPR: 'opresulttype',
  AGGREF: 'aggtype',
  RELABELTYPE: 'resulttype',
  COERCEVIAIO: 'resulttype',
  ARRAYCOERCEEXPR: 'resulttype',
  ARRAYEXPR: 'array_typeid',
  COALESCEEXPR: 'coalescetype',
  CASEEXPR: 'casetype',
}

/** OID of an expression's type; undefined where its kind does not say it in a field of its own. */
export function typeOf(node: NodeObject | undefined): number | undefined {
  const field = node === undefined ? undefined : TYPE_FIELDS[node.tag]
  return node === undefined || field === undefined ? undefined : new NodeFields(node).int(field)
}
