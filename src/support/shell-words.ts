/** Quotes a word for a POSIX shell if it contains special characters. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command line for a POSIX shell. */
export function shellWords(command: readonly string[]): string {
  return command.map(shellWord).join(' ');
}
