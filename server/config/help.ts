import {
  COMMAND_FLAGS,
  EMBEDDED_COMMAND,
  EMBEDDED_LISTEN,
  EMBEDDED_OPTIONS,
  OPTIONS,
  type OptionSpec,
  variableOf,
} from './options.ts'

const WIDTH = 80
const INDENT = 6

/** What `--help` shows: every flag with its meaning, default and variable, made from the table of options. */
export function helpText(): string {
  const options = Object.values<OptionSpec<unknown>>(OPTIONS).map((spec) =>
    entry(
      spec.isRepeatable
        ? `--${spec.name} ${spec.placeholder} ...`
        : `--${spec.name} ${spec.placeholder}`,
      `${spec.help} (default: ${spec.defaultText ?? spec.defaultNote}) [${variableOf(spec.name)}]`,
    ),
  )
  const commands = Object.entries(COMMAND_FLAGS).map(([name, { placeholder, help }]) =>
    entry(placeholder ? `--${name} ${placeholder}` : `--${name}`, help),
  )
  return [
    'Usage: spanwire [flags]',
    `       spanwire ${EMBEDDED_COMMAND} [flags]`,
    '',
    'Serves Cloud Spanner, or an embedded stand-in, to what speaks PostgreSQL.',
    `"spanwire ${EMBEDDED_COMMAND}" serves the stand-in alone, to what speaks the API of`,
    `Spanner, at ${EMBEDDED_LISTEN}; it takes`,
    ...wrap(EMBEDDED_OPTIONS.map((key) => `--${OPTIONS[key].name}`).join(' '), WIDTH - INDENT).map(
      (line) => `  ${line}`,
    ),
    'A flag wins over its environment variable, the variable over the file.',
    '',
    ...options,
    ...commands,
    '',
    'SPANNER_EMULATOR_HOST and GOOGLE_APPLICATION_CREDENTIALS are honoured.',
    '',
  ].join('\n')
}

function entry(flag: string, help: string): string {
  return [`  ${flag}`, ...wrap(help, WIDTH - INDENT).map((line) => ' '.repeat(INDENT) + line)].join(
    '\n',
  )
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else {
      lines.push(word)
    }
  }
  return lines
}
