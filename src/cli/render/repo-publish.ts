import { type PublishPlan, planBytes } from '../../repo/publish/plan.ts';
import { plural } from '../../support/plural.ts';
import { humanSize, table } from './table.ts';

const PHASE_TITLES = {
  packages: 'packages and keys',
  indices: 'indices',
  pointers: 'signed pointers',
  pages: 'pages',
} as const;

/** Maximum number of files listed per phase. */
const MAX_LISTED = 12;

/** The result of `kubeparcel repo publish`; for a dry run with the files of each phase. */
export function renderPublished(plan: PublishPlan, target: string, dryRun: boolean): string {
  const uploads = plan.phases.flatMap((phase) => phase.uploads);
  const rows = plan.phases.map(({ phase, uploads: some }) => [
    PHASE_TITLES[phase],
    String(some.length),
    humanSize(some.reduce((sum, { size }) => sum + size, 0)),
  ]);
  const verb = dryRun ? 'would be uploaded' : 'uploaded';
  return [
    table(['Phase', '>Files', '>Size'], [...rows, ['deletions', String(plan.deletions.length), '']]),
    ...(dryRun ? lists(plan) : []),
    '',
    `${target}: ${plural(uploads.length, 'file')} ${verb} (${humanSize(planBytes(plan))}), ${plan.unchanged} unchanged`,
  ].join('\n');
}

function lists({ phases, deletions }: PublishPlan): string[] {
  return [
    ...phases.map(({ phase, uploads }) => [PHASE_TITLES[phase], uploads.map(({ path }) => path)] as const),
    ['deletions', deletions] as const,
  ]
    .filter(([, paths]) => paths.length > 0)
    .flatMap(([title, paths]) => [
      '',
      `${title}:`,
      ...paths.slice(0, MAX_LISTED).map((path) => `  ${path}`),
      ...(paths.length > MAX_LISTED ? [`  and ${paths.length - MAX_LISTED} more (--json lists them)`] : []),
    ]);
}

/** The same as JSON. */
export function publishedJson(plan: PublishPlan, target: string, dryRun: boolean): string {
  const phases = plan.phases.map(({ phase, uploads }) => ({
    phase,
    files: uploads.map(({ path, size }) => ({ path, size })),
  }));
  return JSON.stringify({ target, dryRun, phases, deletions: plan.deletions, unchanged: plan.unchanged });
}
