import { bitForm, varbitForm } from './bit-form.ts'
import { charForm } from './char-form.ts'
import { macaddr8Form, macaddrForm } from './hardware-address-form.ts'
import { intervalForm } from './interval-form.ts'
import { moneyForm } from './money-form.ts'
import { cidrForm, inetForm } from './network-form.ts'
import { OID } from './pg-type.ts'
import type { TypeForm } from './type-form.ts'
import { zonedTimeForm } from './zoned-time-form.ts'

/** The types that Spanner has nothing like, with how it holds them. */
const FORMS: ReadonlyMap<number, TypeForm> = new Map<number, TypeForm>([
  [OID.char, charForm],
  [OID.interval, intervalForm],
  [OID.inet, inetForm],
  [OID.cidr, cidrForm],
  [OID.macaddr, macaddrForm],
  [OID.macaddr8, macaddr8Form],
  [OID.bit, bitForm],
  [OID.varbit, varbitForm],
  [OID.timetz, zonedTimeForm],
  [OID.money, moneyForm],
])

/** How Spanner holds a type that it has nothing like; undefined for all others. */
export function findTypeForm(typeOid: number): TypeForm | undefined {
  return FORMS.get(typeOid)
}
