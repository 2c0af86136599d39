import { applyPlan, pendingChanges } from '../apply/apply.ts';
import { readFacts } from '../facts/read-facts.ts';
import type { Host, Output } from '../host/host.ts';
import type { GeneratorData } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding, Plan } from '../model/finding.ts';
import { makeCrictlPlan, makePlan } from '../plan/plan.ts';
import { COMMON_FLAGS, type Flag, flagHelp, parseArguments, sanitize } from '../text/arguments.ts';
import { kubeadmConfigCommand } from './kubeadm-config.ts';
import { renderCommand } from './render-kubelet-start.ts';
import { type OutputFormat, type Report, renderQuiet, renderReport } from './report.ts';

/** Exit statuses, documented in kubelet-confgen(8). */
const STATUS = { ok: 0, drift: 1, usage: 2, errors: 3, failed: 4 } as const;

const QUIET: Flag = {
  name: 'quiet',
  help: 'print only changes, warnings and errors, and always exit with 0',
};

const COMMANDS: readonly { readonly name: string; readonly help: string; readonly flags?: readonly Flag[] }[] = [
  { name: 'plan', help: 'show the changes that apply would make, warnings and errors' },
  { name: 'apply', help: 'write the settings of this host', flags: [QUIET] },
  { name: 'check', help: 'report through the exit status whether the files are up to date' },
  { name: 'explain', help: 'show all findings with their evidence, and the contents of the files' },
  { name: 'crictl', help: 'write /etc/crictl.yaml if it does not exist and the endpoint is known', flags: [QUIET] },
  { name: 'kubeadm-config', help: 'print a configuration for kubeadm init or join' },
  { name: 'render', help: 'print the files of kubeadm init phase kubelet-start, and the ConfigMap' },
];

/** Commands that do not accept --quiet. With any other command, even an unknown one, --quiet means a hook. */
const WITHOUT_QUIET = COMMANDS.filter(({ flags }) => flags === undefined).map(({ name }) => name);

/**
 * Runs `kubelet-confgen`, in Node or in the static runner. Never throws.
 *
 * @param argv arguments without the program name
 * @returns the exit status, one of STATUS; always 0 with --quiet
 */
export function main(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number {
  const quiet = argv.includes('--quiet') && !WITHOUT_QUIET.includes(splitCommand(argv)[0] ?? '');
  try {
    const status = dispatch(argv, host, output, data);
    return quiet ? STATUS.ok : status;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    output.err(`kubelet-confgen: internal error: ${sanitize(reason)}\n`);
    return quiet ? STATUS.ok : STATUS.failed;
  }
}

/**
 * The last `--root` argument, for the host adapter; `/` when there is none. `main` reports a missing value.
 *
 * @param argv arguments without the program name
 */
export function rootFlag(argv: readonly string[]): string {
  let root = '';
  for (let index = 0; index < argv.length && argv[index] !== '--'; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--root') {
      index += 1;
      root = argv[index] ?? '';
    } else if (word.slice(0, 7) === '--root=') {
      root = word.slice(7);
    }
  }
  return root === '' ? '/' : root;
}

function dispatch(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number {
  const [name, rest] = splitCommand(argv);
  if (name === 'kubeadm-config') return kubeadmConfigCommand(rest, host, output, data);
  if (name === 'render') return renderCommand(rest, host, output, data);
  const command = COMMANDS.find((each) => each.name === name);
  const flags = [...(command?.flags ?? []), ...COMMON_FLAGS];
  const { words, values, error } = parseArguments(rest, flags);
  if (values.help !== undefined || name === 'help') {
    output.out(
      command === undefined ? generalHelp() : `kubelet-confgen ${command.name}: ${command.help}\n\n${flagHelp(flags)}`,
    );
    return STATUS.ok;
  }
  const usageError =
    error ??
    (name === undefined ? 'missing command' : undefined) ??
    (command === undefined ? `unknown command ${sanitize(name ?? '')}` : undefined) ??
    (values.root !== undefined && host.stat('/').kind === 'absent'
      ? `--root ${sanitize(values.root)} does not exist`
      : undefined) ??
    (words.length > 0 ? `unexpected argument ${sanitize(words[0] ?? '')}` : undefined);
  if (usageError !== undefined || command === undefined) {
    output.err(`kubelet-confgen: ${usageError}\nsee kubelet-confgen --help\n`);
    return STATUS.usage;
  }
  const format = (values.output ?? 'text') as OutputFormat;
  return run({ name: command.name, quiet: values.quiet !== undefined, format }, host, output, data);
}

interface Run {
  readonly name: string;
  readonly quiet: boolean;
  readonly format: OutputFormat;
}

function run({ name, quiet, format }: Run, host: Host, output: Output, data: GeneratorData): number {
  const facts = readFacts(host, data);
  const target = name === 'crictl' ? makeCrictlPlan(facts, data) : makePlan(facts, data);
  const print = (plan: Plan, verbs: Report['verbs'], complete = false) => {
    const kubelet = facts.kubelet.version ?? data.kubeletVersion;
    output.out(renderReport({ ...plan, kubelet, verbs, complete }, format));
  };
  if (name === 'apply' || name === 'crictl') {
    const { done, findings, failed } = applyPlan(target, host);
    // An existing configuration of crictl is normal, so there is no warning.
    const reported = name === 'crictl' ? findings.filter(({ code }) => code !== 'foreign-file') : findings;
    if (quiet) output.err(renderQuiet(forHook(reported, facts), facts.cgroup.systemd ? done : []));
    else print({ changes: done, findings: reported }, { write: 'wrote', remove: 'removed' });
    return failed ? STATUS.failed : STATUS.ok;
  }
  const plan = pendingChanges(target, host);
  print(plan, { write: 'would write', remove: 'would remove' }, name === 'explain');
  if (name !== 'check') return STATUS.ok;
  if (plan.changes.length > 0 || plan.findings.some(isDrift)) return STATUS.drift;
  return plan.findings.some(({ level }) => level === 'error') ? STATUS.errors : STATUS.ok;
}

function isDrift({ code }: Finding): boolean {
  return code === 'edited-file' || code === 'foreign-file';
}

/** In an image or a chroot, where nothing is running, a hook reports only failures to write. */
function forHook(findings: readonly Finding[], { cgroup }: Facts): Finding[] {
  return findings.filter(({ code }) => cgroup.systemd || code === 'write-failed');
}

/** The command is the first argument that is neither a flag nor the value of a flag. */
function splitCommand(argv: readonly string[]): [string | undefined, readonly string[]] {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--root' || word === '--output') index += 1;
    else if (word.charAt(0) !== '-') return [word, [...argv.slice(0, index), ...argv.slice(index + 1)]];
  }
  return [undefined, argv];
}

function generalHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const commands = COMMANDS.map(({ name, help }) => `  ${name.padEnd(width)}  ${help}\n`).join('');
  return `kubelet-confgen COMMAND [--root DIR] [--output text|json|yaml]

Detects the settings that the kubelet needs on this host and writes them to its own files.

${commands}
${flagHelp(COMMON_FLAGS)}
Exit status of check: 0 up to date, 1 files differ, 3 up to date but the kubelet will not work.
`;
}
