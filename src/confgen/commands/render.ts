import type { FileChange, Finding } from '../model/finding.ts';
import { type Plain, writeJson, writeYaml } from '../text/yaml-write.ts';

export type OutputFormat = 'text' | 'json' | 'yaml';

/** What a command has to say, in the order of what people look for. */
export interface Report {
  /** undefined: not known. */
  readonly kubelet: string | undefined;
  readonly changes: readonly FileChange[];
  readonly findings: readonly Finding[];
  /** How changes are told: `would write`, `wrote`. */
  readonly verbs: Readonly<Record<FileChange['kind'], string>>;
  /** Text only: all findings with their evidence, and the files' contents. */
  readonly complete: boolean;
}

export function renderReport(report: Report, format: OutputFormat): string {
  if (format === 'json') return writeJson(asPlain(report));
  return format === 'yaml' ? writeYaml(asPlain(report)) : asText(report);
}

/** For hooks: warnings and errors, a line each, five at most, then the files that were written or removed. */
export function renderQuiet(findings: readonly Finding[], done: readonly FileChange[]): string {
  const told = sorted(findings).filter(({ level }) => level !== 'info');
  const lines = [
    ...told.slice(0, 4).map(({ level, what, hint }) => `kubelet-confgen: ${level}: ${what}${after(hint)}`),
  ];
  if (told.length > 4) lines.push(`kubelet-confgen: ${told.length - 4} more: kubelet-confgen explain`);
  lines.push(...done.map(({ kind, path }) => `kubelet-confgen: ${kind === 'write' ? 'wrote' : 'removed'} ${path}`));
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function after(hint: string | undefined): string {
  return hint === undefined ? '' : ` (${hint})`;
}

function asText({ kubelet, changes, findings, verbs, complete }: Report): string {
  const lines = [`kubelet ${kubelet ?? 'of an unknown version'}`];
  for (const change of changes) {
    lines.push(`${verbs[change.kind]} ${change.path}: ${change.reason}`);
    if (complete && change.kind === 'write')
      lines.push(
        ...change.text
          .trimEnd()
          .split('\n')
          .map((each) => `    ${each}`),
      );
  }
  if (changes.length === 0) lines.push('no file to change');
  const shown = sorted(findings).filter(({ level }) => complete || level !== 'info');
  for (const { level, code, what, evidence, hint } of shown) {
    lines.push('', `${level}: ${what} [${code}]`);
    lines.push(...evidence.map((each) => `    seen   ${each}`));
    if (hint !== undefined) lines.push(`    to do  ${hint}`);
  }
  return lines.map((line) => `${printable(line)}\n`).join('');
}

const LEVELS: readonly Finding['level'][] = ['error', 'warning', 'info'];

/** Errors first; within a level in the order in which they were found. */
function sorted(findings: readonly Finding[]): Finding[] {
  return LEVELS.flatMap((level) => findings.filter((each) => each.level === level));
}

function asPlain({ kubelet, changes, findings }: Report): Plain {
  return {
    kubelet: kubelet ?? null,
    changes: changes.map((change) =>
      change.kind === 'write'
        ? {
            kind: change.kind,
            path: change.path,
            mode: `0${change.mode.toString(8)}`,
            text: change.text,
            reason: change.reason,
          }
        : { kind: change.kind, path: change.path, reason: change.reason },
    ),
    findings: sorted(findings).map(({ code, level, what, evidence, hint }) => ({
      code,
      level,
      what,
      evidence: [...evidence],
      hint: hint ?? null,
    })),
  };
}

/** Words from files of the host: nothing that a terminal obeys, no endless line. */
function printable(line: string): string {
  const clean = line.replace(/[^ -~\u00a1-\ud7ff\ue000-\ufffd]/g, '?');
  return clean.length > 500 ? `${clean.slice(0, 497)}...` : clean;
}
