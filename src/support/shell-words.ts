/** A word as a POSIX shell takes it: quoted where it has other characters than those of names, paths and options. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command as one types it into a POSIX shell. */
export function shellWords(command: readonly string[]): string {
  return command.map(shellWord).join(' ');
}
