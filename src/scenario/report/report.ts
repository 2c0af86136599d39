import { shellWords } from '../../support/shell-words.ts';
import type { Results, ScenarioResult, StepResult } from '../model/events.ts';

/**
 * The results as Markdown: for every check the expectation, the result, and the command to reproduce it; for failures also
 * the output of the commands and the end of the journal.
 */
export function reportOf(results: Results, subject: string): string {
  const { scenarios, leftOut } = results;
  const hosts = [...new Set(scenarios.map(({ host }) => host))];
  const failed = scenarios.filter(({ outcome }) => outcome !== 'passed');
  return `${[
    `# Packages in containers: ${subject}`,
    `${scenarios.length - failed.length} of ${scenarios.length} passed${leftOut.length === 0 ? '' : `, ${leftOut.length} skipped`}.`,
    ...(failed.length === 0 ? [] : ['## What failed', failed.map(failureLine).join('\n')]),
    ...hosts.map((host) =>
      [`## ${host}`, ...scenarios.filter((result) => result.host === host).map(section)].join('\n\n'),
    ),
    ...(leftOut.length === 0
      ? []
      : [
          '## Left out',
          leftOut.map(({ host, scenario, reason }) => `- ${host}, ${scenario}: ${inline(reason)}`).join('\n'),
        ]),
  ].join('\n\n')}\n`;
}

function failureLine({ host, scenario, fault }: ScenarioResult): string {
  return `- **${host}, ${scenario}**: ${inline(fault)}`;
}

const OUTCOMES: Readonly<Record<ScenarioResult['outcome'], string>> = {
  passed: 'passed',
  failed: '**failed**',
  error: '**error**',
};

function section(result: ScenarioResult): string {
  const { scenario, title, outcome, steps, stepCount, journal, kept, fault, milliseconds } = result;
  const undone = stepCount - steps.length;
  return [
    `### ${scenario}: ${OUTCOMES[outcome]}`,
    `${inline(title)} (${(milliseconds / 1000).toFixed(1)} s)`,
    ...(outcome === 'passed' ? [] : [inline(fault)]),
    ...(kept === undefined ? [] : [`The container was kept: \`kubeparcel test shell ${kept}\``]),
    steps.map((step) => stepText(step, result)).join('\n'),
    ...(undone > 0 ? [`Steps not run: ${undone}.`] : []),
    ...(outcome === 'passed' || journal === '' ? [] : ['Journal:', fenced(journal)]),
  ].join('\n\n');
}

function stepText({ number, title, ok, kind, findings, commands, error }: StepResult, result: ScenarioResult): string {
  const lines = [`${number}. ${ok ? '' : '**failed** '}${inline(title)}`];
  if (error !== undefined) lines.push(`   - ${inline(error)}`);
  if (kind === 'check' || !ok) {
    for (const finding of findings) {
      lines.push(
        finding.ok && finding.expected === finding.found
          ? `   - ${inline(finding.what)}: ${code(finding.found)}`
          : `   - ${finding.ok ? '' : '**wrong** '}${inline(finding.what)}: expected ${code(finding.expected)}, found ${code(finding.found)}`,
      );
    }
    for (const { command } of commands) lines.push(`   - look: ${code(shellWords([...result.enter, ...command]))}`);
  }
  if (!ok) {
    for (const { command, status, stdout, stderr } of commands) {
      lines.push(indented(fenced(`$ ${shellWords(command)}\n${stdout}${stderr}\n(status ${status})`)));
    }
  }
  return lines.join('\n');
}

/** One line with Markdown characters escaped. */
function inline(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' / ').replaceAll(/[\\`*_<>[\]|]/g, (sign) => `\\${sign}`);
}

/** Inline code with a fence longer than any in the text. */
function code(text: string): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' ⏎ ');
  const short = line.length > 400 ? `${line.slice(0, 397)}...` : line;
  const fence = '`'.repeat(1 + longestBackticks(short));
  return fence.length === 1 ? `\`${short}\`` : `${fence} ${short} ${fence}`;
}

function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, 1 + longestBackticks(text)));
  return `${fence}\n${text.trimEnd()}\n${fence}`;
}

function longestBackticks(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}
