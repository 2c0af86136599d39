/**
 * Whether a glob names a path: `*` and `?` stay within a name, `**` crosses directories, all else stands for itself. The glob
 * /a/** names all that is below /a, and /a itself.
 */
export function matchesGlob(glob: string, path: string): boolean {
  const source = glob.replace(/\/\*\*$|\*\*\/|\*\*|\*|\?|[\\^$.|+()[\]{}]/g, (part) => {
    switch (part) {
      case '/**':
        return '(/.*)?';
      case '**/':
        return '(.*/)?';
      case '**':
        return '.*';
      case '*':
        return '[^/]*';
      case '?':
        return '[^/]';
      default:
        return `\\${part}`;
    }
  });
  return new RegExp(`^${source}$`, 's').test(path);
}
