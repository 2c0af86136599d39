/** A flag of a command; the same table serves parsing, help, the manual page and shell completion. */
export interface Flag {
  /** Without its dashes. */
  readonly name: string;
  /** Other spellings of it. */
  readonly aliases?: readonly string[];
  /** What its value is called in help: FILE; undefined: it takes none. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  readonly help: string;
}

/** What every command takes. `--root` is obeyed by the host's adapter and only let pass here. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'root', value: 'DIR', help: 'look at and write below DIR, for image builds' },
  { name: 'output', value: 'FORMAT', choices: ['text', 'json', 'yaml'], help: 'how to print the result' },
  { name: 'help', help: 'print this help' },
];

export interface Arguments {
  /** What is no flag, in its order. */
  readonly words: readonly string[];
  /** Values by the flag's first spelling; the last one given wins, a flag without a value has `''`. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** One sentence about the first thing that cannot be; nothing else counts then. */
  readonly fault: string | undefined;
}

/**
 * Reads `--flag value`, `--flag=value`, and words; `--` ends the flags.
 *
 * @param argv without the program's and the command's name
 */
export function parseArguments(argv: readonly string[], flags: readonly Flag[]): Arguments {
  const words: string[] = [];
  const values: Record<string, string | undefined> = {};
  const fault = (sentence: string): Arguments => ({ words, values, fault: sentence });
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
    const spelled = equals === -1 ? word : word.slice(0, equals);
    const flag = word === '-h' ? flags.find(({ name }) => name === 'help') : findFlag(flags, spelled);
    if (flag === undefined) return fault(`there is no flag ${shown(spelled)}`);
    if (flag.value === undefined) {
      if (equals !== -1) return fault(`--${flag.name} takes no value`);
      values[flag.name] = '';
      continue;
    }
    const next = argv[index + 1];
    const value = equals === -1 ? next : word.slice(equals + 1);
    if (value === undefined || value === '' || (equals === -1 && value.slice(0, 2) === '--')) {
      return fault(`--${flag.name} needs a value (${flag.choices?.join(', ') ?? flag.value})`);
    }
    if (flag.choices !== undefined && !flag.choices.includes(value)) {
      return fault(`--${flag.name} is one of ${flag.choices.join(', ')}, not ${shown(value)}`);
    }
    values[flag.name] = value;
    if (equals === -1) index += 1;
  }
  return { words, values, fault: undefined };
}

/** Help's list of flags, a line each. */
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

/** Words from outside, made fit for a message: one line, bounded, nothing that a terminal obeys. */
export function shown(text: string): string {
  const line = text.replace(/[^ -~\u00a1-\ud7ff\ue000-\ufffd]/g, '?');
  return line === '' ? "''" : line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

function findFlag(flags: readonly Flag[], spelled: string): Flag | undefined {
  return flags.find(({ name, aliases }) => [name, ...(aliases ?? [])].some((each) => `--${each}` === spelled));
}
