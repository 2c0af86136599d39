import {
  type Channel,
  isFault,
  type RepositoryPackage,
  type VerifyReport,
  viewDirectory,
} from '../../repo/model/repository.ts';
import type { AddResult } from '../../repo/operations/add.ts';
import type { PromoteResult } from '../../repo/operations/promote.ts';
import type { RemovalResult } from '../../repo/operations/remove.ts';
import type { ChangeResult } from '../../repo/transaction/commit.ts';
import type { WriteOptions } from '../../repo/transaction/session.ts';
import { table } from './table.ts';

/** What `repo add` did, and how the indices are signed. */
export function renderAdded(
  dir: string,
  result: AddResult,
  options: WriteOptions & { readonly channel: Channel },
): string {
  const lines =
    result.added.length === 0 ? [] : [packageTable(result.added, (each) => each.channels[options.channel] ?? []), ''];
  lines.push(
    `${counted(result.added.length, 'package')} added to ${options.channel} in ${dir}${alreadyThere(result)}.`,
  );
  lines.push(renderChange(result));
  if ((options.signers ?? []).length === 0) {
    lines.push(`Not signed: clients refuse it unless told otherwise. kubeparcel repo sign ${dir} --key FILE signs it.`);
  }
  return lines.join('\n');
}

function alreadyThere({ known }: AddResult): string {
  return known === 0 ? '' : `; ${known} ${known === 1 ? 'was' : 'were'} there already`;
}

export function renderTaken(result: RemovalResult, dryRun: boolean): string {
  if (result.taken.length === 0) return 'Nothing is to be taken out.';
  const packages = packageTable(result.taken, (each) => Object.keys(each.channels));
  const count = counted(result.taken.length, 'package');
  return `${packages}\n\n${dryRun ? `${count} would go.` : `${count} taken out.\n${renderChange(result)}`}`;
}

export function renderPromoted(result: PromoteResult, to: Channel): string {
  if (result.promoted.length === 0) return `All of them are in ${to} already.`;
  const packages = packageTable(result.promoted, (each) => each.channels[to] ?? []);
  return `${packages}\n\n${counted(result.promoted.length, 'package')} in ${to} now.\n${renderChange(result)}`;
}

/** Which indices were written. */
export function renderChange({ written, removed, unchanged, copies }: ChangeResult): string {
  const lines = [...written.map(viewDirectory), ...removed.map((view) => `${viewDirectory(view)} (removed)`)];
  const counts = `${counted(lines.length, 'index', 'indices')} written, ${unchanged} unchanged`;
  const text = lines.length === 0 ? `${counts}.` : `${counts}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  if (copies === 0) return text;
  return `${text}\n${counted(copies, 'file')} copied: this file system has no hard links.`;
}

function packageTable(
  packages: readonly RepositoryPackage[],
  where: (each: RepositoryPackage) => readonly string[],
): string {
  return table(
    ['Package', 'Version', 'Arch', 'Format', 'In'],
    packages.map((each) => [each.name, each.version, each.architecture, each.format, where(each).join(' ')]),
  );
}

/** Findings by path, and what was looked at. */
export function renderVerified(target: string, report: VerifyReport): string {
  const { findings, packages, views, files, keys, ownKeys } = report;
  const looked = `${counted(packages, 'package')}, ${counted(views, 'index', 'indices')}, ${counted(files, 'file')} read`;
  const signed = keys.length === 0 ? 'Not signed.' : `Signed by ${keys.join('\n      and ')}.`;
  const whose =
    ownKeys && keys.length > 0
      ? ['The keys are its own: this proves that it is whole; --keyring FILE, whose it is.']
      : [];
  const faults = findings.filter(isFault);
  const lines = [...faults, ...findings.filter((each) => !isFault(each))].map(
    ({ kind, path, what }) => `  ${kind.padEnd(9)}  ${path}\n             ${what}`,
  );
  const verdict =
    faults.length === 0 ? `${target} is whole` : `${target}: ${counted(faults.length, 'thing')} not as it must be`;
  return [`${verdict}: ${looked}.`, signed, ...(faults.length === 0 ? whose : []), ...lines].join('\n');
}

function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
