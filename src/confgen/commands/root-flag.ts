/**
 * The directory that `--root` names, for the adapter that `main` is given; the last one wins. `/` when none is named; a
 * `--root` without a value is `main`'s to refuse.
 */
export function rootOf(argv: readonly string[]): string {
  let root = '';
  for (let index = 0; index < argv.length && argv[index] !== '--'; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--root') {
      index += 1;
      root = argv[index] ?? '';
    } else if (word.slice(0, 7) === '--root=') {
      root = word.slice(7);
    }
  }
  return root === '' ? '/' : root;
}
