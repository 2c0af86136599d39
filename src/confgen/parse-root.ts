/**
 * What `--root DIR` or `--root=DIR` says, the last one if there are several; undefined without it. For the adapters,
 * which need it before a command reads its flags.
 *
 * @param argv words after the program's name
 */
export function parseRoot(argv: readonly string[]): string | undefined {
  let root: string | undefined;
  for (const [index, word] of argv.entries()) {
    if (word === '--') break;
    if (word === '--root') root = argv[index + 1] ?? root;
    if (word.startsWith('--root=')) root = word.slice('--root='.length);
  }
  return root;
}
