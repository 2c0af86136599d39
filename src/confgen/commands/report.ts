import type { FileChange, Finding } from '../model/finding.ts';
import { sanitize } from '../text/arguments.ts';
import { type Plain, writeJson, writeYaml } from '../text/yaml-write.ts';

export type OutputFormat = 'text' | 'json' | 'yaml';

export interface Report {
  /** Version of the kubelet; undefined when unknown. */
  readonly kubelet: string | undefined;
  readonly changes: readonly FileChange[];
  readonly findings: readonly Finding[];
  /** Verbs for changes: `would write`, `wrote`. */
  readonly verbs: Readonly<Record<FileChange['kind'], string>>;
  /** Text only: includes info findings and the contents of files. */
  readonly complete: boolean;
}

export function renderReport(report: Report, format: OutputFormat): string {
  if (format === 'json') return writeJson(asPlain(report));
  return format === 'yaml' ? writeYaml(asPlain(report)) : asText(report);
}

/** The output for hooks: at most five lines of warnings and errors, then the written and removed files. */
export function renderQuiet(findings: readonly Finding[], done: readonly FileChange[]): string {
  const problems = byLevel(findings).filter(({ level }) => level !== 'info');
  const lines = problems.slice(0, 4).map(({ level, what, hint }) => `${level}: ${what}${hint ? ` (${hint})` : ''}`);
  if (problems.length > 4) lines.push(`${problems.length - 4} more; run kubelet-confgen explain`);
  lines.push(...done.map(({ kind, path }) => `${kind === 'write' ? 'wrote' : 'removed'} ${path}`));
  return text(lines.map((line) => `kubelet-confgen: ${line}`));
}

function asText({ kubelet, changes, findings, verbs, complete }: Report): string {
  const lines = [`kubelet ${kubelet ?? 'of an unknown version'}`];
  for (const change of changes) {
    lines.push(`${verbs[change.kind]} ${change.path}: ${change.reason}`);
    if (complete && change.kind === 'write') lines.push(...change.text.trimEnd().split('\n').map(indented));
  }
  if (changes.length === 0) lines.push('no changes');
  for (const { level, code, what, evidence, hint } of byLevel(findings)) {
    if (level === 'info' && !complete) continue;
    lines.push('', `${level}: ${what} [${code}]`);
    lines.push(...evidence.map((each) => indented(`found: ${each}`)));
    if (hint !== undefined) lines.push(indented(`hint:  ${hint}`));
  }
  return text(lines);
}

function indented(line: string): string {
  return `    ${line}`;
}

const LEVELS: readonly Finding['level'][] = ['error', 'warning', 'info'];

/** Errors first. Keeps the order within a level. */
function byLevel(findings: readonly Finding[]): Finding[] {
  return LEVELS.flatMap((level) => findings.filter((each) => each.level === level));
}

function asPlain({ kubelet, changes, findings }: Report): Plain {
  return {
    kubelet: kubelet ?? null,
    changes: changes.map((change) => {
      if (change.kind === 'remove') return { kind: change.kind, path: change.path, reason: change.reason };
      const { kind, path, mode, text, reason } = change;
      return { kind, path, mode: `0${mode.toString(8)}`, text, reason };
    }),
    findings: byLevel(findings).map(({ code, level, what, evidence, hint }) => ({
      code,
      level,
      what,
      evidence: [...evidence],
      hint: hint ?? null,
    })),
  };
}

/** Lines may contain text from files of the host. */
function text(lines: readonly string[]): string {
  return lines.map((line) => `${line === '' ? '' : sanitize(line, 500)}\n`).join('');
}
