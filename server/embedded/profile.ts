import type { SignatureTable } from '../sql/spanner-signature.ts'

/**
 * What the embedded backend behaves like: Spanner as production documents it, or the official emulator, whose dialect is narrower and was
 * measured case by case.
 */
export type Profile = 'production' | 'emulator-1.5.28'

/** Whether Spanner takes a signature of the dialect's table: production has every capability that is named there, the emulator has none. */
export function takes(profile: Profile, table: SignatureTable, signature: string): boolean {
  const found = table.get(signature)
  return found !== undefined && (found.needs === undefined || profile === 'production')
}
