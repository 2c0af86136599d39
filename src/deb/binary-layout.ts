import type { TreeItem } from '../layout/tree.ts';
import type { Layout } from '../model/layout.ts';
import { controlMembers } from './write-control.ts';

/**
 * The binary layout that `dpkg-deb --root-owner-group --build DIRECTORY` makes the package of: DEBIAN/ with the control
 * files (deb(5)), and beside it the file system as the package unpacks it.
 *
 * @param md5 MD5 of a file's content in hex, by its path; what DEBIAN/md5sums states
 */
export function debTree(layout: Layout, md5: (path: string) => string): TreeItem[] {
  const { date } = layout;
  return [
    { path: 'DEBIAN', kind: 'directory', mode: 0o755, mtime: date },
    ...controlMembers(layout, md5).map(
      (member): TreeItem => ({
        path: `DEBIAN/${member.name}`,
        kind: 'file',
        mode: member.mode,
        mtime: date,
        content: { kind: 'memory', bytes: member.bytes },
      }),
    ),
    ...layout.entries.map((entry): TreeItem => ({ ...entry, path: entry.path.slice(1) })),
  ];
}
