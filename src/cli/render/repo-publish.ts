import { type PublishPlan, planBytes } from '../../repo/publish/plan.ts';
import { humanSize, table } from './table.ts';

const PHASE_WORDS = {
  packages: 'packages and keys',
  indices: 'indices',
  pointers: 'signed pointers',
  pages: 'pages',
} as const;

/** Longer lists are for --json. */
const SHOWN = 12;

/** `kubeparcel repo publish` as text: what each phase sends; for a dry run also which files. */
export function renderPublished(plan: PublishPlan, target: string, dryRun: boolean): string {
  const uploads = plan.phases.flatMap((phase) => phase.uploads);
  const rows = plan.phases.map(({ phase, uploads: some }) => [
    PHASE_WORDS[phase],
    String(some.length),
    humanSize(some.reduce((sum, { size }) => sum + size, 0)),
  ]);
  const sent = dryRun ? 'would be sent' : 'sent';
  return [
    table(['PHASE', '>FILES', '>SIZE'], [...rows, ['deletions', String(plan.deletions.length), '']]),
    ...(dryRun ? lists(plan) : []),
    '',
    `${target}: ${uploads.length} files ${sent} (${humanSize(planBytes(plan))}), ${plan.unchanged} there already`,
  ].join('\n');
}

function lists({ phases, deletions }: PublishPlan): string[] {
  return [
    ...phases.map(({ phase, uploads }) => [PHASE_WORDS[phase], uploads.map(({ path }) => path)] as const),
    ['deletions', deletions] as const,
  ]
    .filter(([, paths]) => paths.length > 0)
    .flatMap(([title, paths]) => [
      '',
      `${title}:`,
      ...paths.slice(0, SHOWN).map((path) => `  ${path}`),
      ...(paths.length > SHOWN ? [`  and ${paths.length - SHOWN} more (--json lists them)`] : []),
    ]);
}

/** The same for programs. */
export function publishedJson(plan: PublishPlan, target: string, dryRun: boolean): unknown {
  const phases = plan.phases.map(({ phase, uploads }) => ({
    phase,
    files: uploads.map(({ path, size }) => ({ path, size })),
  }));
  return { target, dryRun, phases, deletions: plan.deletions, unchanged: plan.unchanged };
}
