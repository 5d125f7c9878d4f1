/**
 * What the embedded backend behaves like: Spanner as production documents it, or the official emulator, whose dialect is narrower and was
 * measured case by case.
 */
export type Profile = 'production' | 'emulator-1.5.28'
