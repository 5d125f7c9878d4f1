import { isPassingOid } from '../types/user-type.ts'
import { NotPushable } from './not-pushable.ts'

/** `a value`, of a type that Spanner has no values of. */
export function unstoredType(what: string, typeOid: number): NotPushable {
  if (!isPassingOid(typeOid)) return new NotPushable(`${what} of a type that Spanner does not have`)
  return new NotPushable(`${what} of a type that the open transaction has made`, {
    hint: 'Commit the transaction between the two.',
  })
}
