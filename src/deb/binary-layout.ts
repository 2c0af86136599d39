import type { TreeItem } from '../layout/tree.ts';
import type { Layout } from '../model/layout.ts';
import { controlMembers } from './write-control.ts';

/**
 * The input of `dpkg-deb --root-owner-group --build DIRECTORY`: the control files (deb(5)) in DEBIAN/, next to the tree
 * that the package installs.
 *
 * @param md5 maps a file's path to the MD5 of its content in hex, for DEBIAN/md5sums
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
