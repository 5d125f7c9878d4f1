/** A setting that the proxy knows better than the companion. */
export interface ProxySetting {
  /** As SHOW writes it. */
  readonly shown: string
  /** What its row of pg_settings says. */
  readonly told: ToldSetting
}

/**
 * Columns of one row of pg_settings; `setting`, `reset_val` and `server_val` are in the setting's own unit. `server_val` is what RESET goes back to where the
 * session's start said nothing.
 */
export type ToldSetting = Readonly<
  Partial<Record<'setting' | 'source' | 'reset_val' | 'server_val', string>>
>
