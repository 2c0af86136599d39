/** A flag of a command. Parsing and help use the same table. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
  /** Placeholder of the value in help, such as FILE; undefined for a flag without a value. */
  readonly value?: string | undefined;
  /** The allowed values. */
  readonly choices?: readonly string[] | undefined;
  readonly help: string;
}

/** Flags of all commands. `rootFlag` reads `--root` for the host adapter. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'root', value: 'DIR', help: 'use DIR as the root directory, for image builds' },
  { name: 'output', value: 'FORMAT', choices: ['text', 'json', 'yaml'], help: 'output format' },
  { name: 'help', help: 'print this help' },
];

export interface Arguments {
  /** Positional arguments. */
  readonly words: readonly string[];
  /** Values by flag name. The last value of a flag wins; a flag without a value has `''`. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** The first error; ignore the other fields when it is set. */
  readonly error: string | undefined;
}

/**
 * Parses `--flag value`, `--flag=value` and positional arguments; `--` ends the flags.
 *
 * @param argv without the names of the program and the command
 */
export function parseArguments(argv: readonly string[], flags: readonly Flag[]): Arguments {
  const words: string[] = [];
  const values: Record<string, string | undefined> = {};
  const failed = (error: string): Arguments => ({ words, values, error });
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      words.push(...argv.slice(index + 1));
      break;
    }
    if (word.charAt(0) !== '-' || word === '-') {
      words.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const option = equals === -1 ? word : word.slice(0, equals);
    const flag = word === '-h' ? flags.find(({ name }) => name === 'help') : findFlag(flags, option);
    if (flag === undefined) return failed(`unknown flag ${sanitize(option)}`);
    if (flag.value === undefined) {
      if (equals !== -1) return failed(`--${flag.name} does not take a value`);
      values[flag.name] = '';
      continue;
    }
    const value = equals === -1 ? argv[index + 1] : word.slice(equals + 1);
    if (value === undefined || value === '' || (equals === -1 && value.slice(0, 2) === '--')) {
      return failed(`--${flag.name} needs a value: ${flag.choices?.join(', ') ?? flag.value}`);
    }
    if (flag.choices !== undefined && !flag.choices.includes(value)) {
      return failed(`invalid --${flag.name} ${sanitize(value)}; expected ${flag.choices.join(', ')}`);
    }
    values[flag.name] = value;
    if (equals === -1) index += 1;
  }
  return { words, values, error: undefined };
}

/** The list of flags for help, one line each. */
export function flagHelp(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => ({
    left: `  --${flag.name}${flag.value === undefined ? '' : ` ${flag.choices?.join('|') ?? flag.value}`}`,
    right: flag.help,
  }));
  const width = Math.min(32, Math.max(...rows.map(({ left }) => left.length)));
  return rows
    .map(({ left, right }) =>
      left.length > width ? `${left}\n${' '.repeat(width)}  ${right}\n` : `${left.padEnd(width)}  ${right}\n`,
    )
    .join('');
}

/** Makes external text safe for a message: one line of limited length, without control characters; `''` if empty. */
export function sanitize(text: string, limit = 80): string {
  const line = text.replace(/[^ -~\u00a1-\ud7ff\ue000-\ufffd]/g, '?');
  return line === '' ? "''" : line.length > limit ? `${line.slice(0, limit - 3)}...` : line;
}

function findFlag(flags: readonly Flag[], option: string): Flag | undefined {
  return flags.find(({ name, aliases }) => [name, ...(aliases ?? [])].some((each) => `--${each}` === option));
}
