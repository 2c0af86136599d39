import type { ClosureFault, ClosureReport } from '../../repo/closure/closure.ts';
import { faultTexts } from '../../repo/closure/fault-text.ts';
import type { ProvidedNames } from '../../repo/closure/provided.ts';

/** One line a list: how many names, of how many architectures, and from where. */
export function renderProvided({
  path,
  provided,
}: {
  readonly path: string;
  readonly provided: ProvidedNames;
}): string {
  const lists = Object.values(provided.architectures);
  const names = new Set(lists.flatMap((list) => Object.keys(list))).size;
  const origin = provided.verified ? '' : ', not verified: nobody was asked';
  return `${path}: ${names} names, ${lists.length} architectures${origin}`;
}

/** `kubeparcel repo check` as text. */
export function renderClosure(report: ClosureReport, distributions: readonly string[]): string {
  const assumed = report.assumed.map(({ distribution }) => distribution);
  return [
    ...report.faults.flatMap((fault) => [...renderFault(fault), '']),
    `${report.checked} relations on ${distributions.length} distributions, ${report.faults.length} cannot be satisfied`,
    ...(assumed.length === 0
      ? []
      : ['', 'Taken on trust, since nobody has read the lists of these distributions:', ...wrapped(assumed)]),
  ].join('\n');
}

/** Words with commas, in lines of 78 characters at most. */
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
