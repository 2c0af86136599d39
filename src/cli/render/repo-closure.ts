import type { ClosureFault, ClosureReport } from '../../repo/closure/closure.ts';
import { faultTexts } from '../../repo/closure/closure.ts';
import type { ProvidedNames } from '../../repo/closure/provided.ts';
import { plural } from '../../support/plural.ts';

/** One line per list of distribution packages. */
export function renderProvided({
  path,
  provided,
}: {
  readonly path: string;
  readonly provided: ProvidedNames;
}): string {
  const lists = Object.values(provided.architectures);
  const names = new Set(lists.flatMap((list) => Object.keys(list))).size;
  const origin = provided.verified ? '' : ', not verified: not downloaded';
  return `${path}: ${plural(names, 'name')}, ${plural(lists.length, 'architecture')}${origin}`;
}

/** `kubeparcel repo check` as text. */
export function renderClosure(report: ClosureReport, distributions: readonly string[]): string {
  const assumed = report.assumed.map(({ distribution }) => distribution);
  return [
    ...report.faults.flatMap((fault) => [...renderFault(fault), '']),
    `${plural(report.checked, 'relation')} on ${plural(distributions.length, 'distribution')}, ${report.faults.length} cannot be satisfied`,
    ...(assumed.length === 0
      ? []
      : ['', 'Not verified, because the package lists of these distributions are not available:', ...wrapped(assumed)]),
  ].join('\n');
}

/** Joins words with commas into lines of at most 78 characters. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const [at, word] of words.entries()) {
    const text = at === words.length - 1 ? word : `${word},`;
    if (line.length + 1 + text.length > 78) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${text}`;
  }
  return [...lines, line];
}

function renderFault(fault: ClosureFault): string[] {
  const { what, where, hint } = faultTexts(fault);
  return [what, `  where: ${where}`, `  hint:  ${hint}`];
}
