import { type Channel, type RepositoryPackage, viewDirectory } from '../../repo/model/repository.ts';
import type { AddResult } from '../../repo/operations/add.ts';
import type { PromoteResult } from '../../repo/operations/promote.ts';
import type { RemovalResult } from '../../repo/operations/remove.ts';
import type { ChangeResult } from '../../repo/transaction/commit.ts';
import type { WriteOptions } from '../../repo/transaction/session.ts';
import { isFault, type VerifyReport } from '../../repo/verify/finding.ts';
import { plural } from '../../support/plural.ts';
import { table } from './table.ts';

/** The result of `kubeparcel repo add`. */
export function renderAdded(
  dir: string,
  result: AddResult,
  options: WriteOptions & { readonly channel: Channel },
): string {
  const lines =
    result.added.length === 0
      ? []
      : [packageTable(result.added, 'Minors', (each) => each.channels[options.channel] ?? []), ''];
  lines.push(`${plural(result.added.length, 'package')} added to ${options.channel} in ${dir}${alreadyAdded(result)}.`);
  lines.push(renderChange(result));
  if ((options.signers ?? []).length === 0) {
    lines.push(
      `Not signed: clients refuse this repository by default. To sign it: kubeparcel repo sign ${dir} --key FILE`,
    );
  }
  return lines.join('\n');
}

function alreadyAdded({ known }: AddResult): string {
  return known === 0 ? '' : `; ${known} already there`;
}

/** @param channel undefined if the packages were removed from all channels */
export function renderRemoved(result: RemovalResult, channel: Channel | undefined, dryRun: boolean): string {
  if (result.taken.length === 0) return 'Nothing to remove.';
  const packages = packageTable(result.taken, 'Channels', (each) =>
    channel === undefined ? Object.keys(each.channels) : [channel],
  );
  const count = plural(result.taken.length, 'package');
  return `${packages}\n\n${dryRun ? `${count} would be removed.` : `${count} removed.\n${renderChange(result)}`}`;
}

export function renderPromoted(result: PromoteResult, to: Channel): string {
  if (result.promoted.length === 0) return `All packages are already in ${to}.`;
  const packages = packageTable(result.promoted, 'Minors', (each) => each.channels[to] ?? []);
  return `${packages}\n\n${plural(result.promoted.length, 'package')} added to ${to}.\n${renderChange(result)}`;
}

/** The indices that a change wrote. */
export function renderChange({ written, removed, unchanged, copies }: ChangeResult): string {
  const lines = [...written.map(viewDirectory), ...removed.map((view) => `${viewDirectory(view)} (removed)`)];
  const counts = `${plural(lines.length, 'index', 'indices')} written, ${unchanged} unchanged`;
  const text = lines.length === 0 ? `${counts}.` : `${counts}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  if (copies === 0) return text;
  return `${text}\n${plural(copies, 'file')} copied: the file system does not support hard links.`;
}

function packageTable(
  packages: readonly RepositoryPackage[],
  heading: 'Channels' | 'Minors',
  where: (each: RepositoryPackage) => readonly string[],
): string {
  return table(
    ['Package', 'Version', 'Arch', 'Format', heading],
    packages.map((each) => [each.name, each.version, each.architecture, each.format, where(each).join(' ')]),
  );
}

/** The result of `kubeparcel repo verify`: problems first. */
export function renderVerified(target: string, report: VerifyReport): string {
  const { findings, packages, views, files, keys, ownKeys } = report;
  const checked = `${plural(packages, 'package')}, ${plural(views, 'index', 'indices')}, ${plural(files, 'file')} read`;
  const unsigned = ownKeys ? 'Not signed.' : 'Not signed by the given keys.';
  const signed = keys.length === 0 ? unsigned : `Signed by ${keys.join('\n      and ')}.`;
  const note =
    ownKeys && keys.length > 0
      ? ["Verified with the repository's own keys; use --keyring FILE to check who signed it."]
      : [];
  const faults = findings.filter(isFault);
  const lines = [...faults, ...findings.filter((each) => !isFault(each))].map(
    ({ kind, path, what }) => `  ${kind.padEnd(9)}  ${path}\n             ${what}`,
  );
  const verdict = faults.length === 0 ? `${target} is intact` : `${target} has ${plural(faults.length, 'problem')}`;
  return [`${verdict}: ${checked}.`, signed, ...(faults.length === 0 ? note : []), ...lines].join('\n');
}
