/** What the user typed cannot be used: one line that names the flag, variable or file key and says what it takes. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConfigError'
  }
}
