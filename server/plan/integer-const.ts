import type { Const } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'

/** A constant of type integer, as PostgreSQL's analysis makes it of a literal. */
export function int4Const(value: number): Const {
  return integerConst(BigInt(value), OID.int4, 4)
}

/** A constant of type bigint. */
export function int8Const(value: bigint): Const {
  return integerConst(value, OID.int8, 8)
}

function integerConst(value: bigint, type: number, lengthBytes: number): Const {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return {
    kind: 'Const',
    type,
    typmod: -1,
    isNull: false,
    byValue: true,
    lengthBytes,
    bytes,
    location: -1,
  }
}
