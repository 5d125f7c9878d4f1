import { homedir } from 'node:os'

/** What the process was given by its surroundings. */
export interface Environment {
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly homeDirectory: string
  readonly workingDirectory: string
  readonly isRoot: boolean
}

/** The one place where the environment of the process is read. */
export function readEnvironment(): Environment {
  return {
    variables: process.env,
    homeDirectory: homedir(),
    workingDirectory: process.cwd(),
    isRoot: process.getuid?.() === 0,
  }
}
