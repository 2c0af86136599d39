/**
 * Whether a glob matches a path. `*` and `?` match within a name, `**` across directories. /a/** matches /a and everything
 * below it.
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
