import { applyPlan, pending } from '../apply/apply.ts';
import { readFacts } from '../facts/read-facts.ts';
import type { Host, Output } from '../host/host.ts';
import type { GeneratorData } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding, Plan } from '../model/finding.ts';
import { makePlan } from '../plan/plan.ts';
import { makeCrictlPlan } from '../plan/plan-crictl.ts';
import { COMMON_FLAGS, type Flag, flagHelp, parseArguments, shown } from '../text/arguments.ts';
import { kubeadmConfigCommand } from './kubeadm-config.ts';
import { type OutputFormat, type Report, renderQuiet, renderReport } from './render.ts';
import { renderCommand } from './render-kubelet-start.ts';

/** Of `kubelet-confgen`; kubelet-confgen(8) lists them. */
const STATUS = { ok: 0, drift: 1, usage: 2, errors: 3, failed: 4 } as const;

const QUIET: Flag = {
  name: 'quiet',
  help: 'say what was done, warnings and errors only, and end with 0 whatever happens',
};

/** The words that come first, with what they do. */
const COMMANDS: readonly { readonly name: string; readonly help: string; readonly flags?: readonly Flag[] }[] = [
  { name: 'plan', help: 'show what would be written, and what to look at' },
  { name: 'apply', help: 'write it', flags: [QUIET] },
  { name: 'check', help: 'tell by the exit status whether the files are as they should be' },
  { name: 'explain', help: 'show every finding with its evidence, and every file with its contents' },
  { name: 'crictl', help: 'write /etc/crictl.yaml, where there is none and one endpoint is certain', flags: [QUIET] },
  { name: 'kubeadm-config', help: 'print a configuration for kubeadm init or join' },
  { name: 'render', help: 'print the files of kubeadm init phase kubelet-start, and the ConfigMap' },
];

/** Commands whose status somebody waits for; in all others, misspelled ones too, --quiet is a hook's. */
const LOUD = COMMANDS.filter(({ flags }) => flags === undefined).map(({ name }) => name);

/**
 * `kubelet-confgen`, the same under Node and under the static runner. It never throws; with --quiet it never fails.
 *
 * @param argv words after the program's name
 * @returns the exit status, one of STATUS
 */
export function main(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number {
  const quiet = argv.includes('--quiet') && !LOUD.includes(splitCommand(argv)[0] ?? '');
  try {
    const status = dispatch(argv, host, output, data);
    return quiet ? STATUS.ok : status;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    output.err(`kubelet-confgen: a fault of kubelet-confgen itself: ${shown(reason)}\n`);
    return quiet ? STATUS.ok : STATUS.failed;
  }
}

function dispatch(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number {
  const [name, rest] = splitCommand(argv);
  if (name === 'kubeadm-config') return kubeadmConfigCommand(rest, host, output, data);
  if (name === 'render') return renderCommand(rest, host, output, data);
  const command = COMMANDS.find((each) => each.name === name);
  const flags = [...(command?.flags ?? []), ...COMMON_FLAGS];
  const { words, values, fault } = parseArguments(rest, flags);
  if (values.help !== undefined || name === 'help') {
    output.out(command === undefined ? generalHelp() : commandHelp(command.name, command.help, flags));
    return STATUS.ok;
  }
  const wrong =
    fault ??
    (name === undefined ? 'name a command' : undefined) ??
    (command === undefined ? `there is no command ${shown(name ?? '')}` : undefined) ??
    (values.root !== undefined && host.stat('/').kind === 'absent'
      ? `there is no directory ${shown(values.root)}`
      : undefined) ??
    (words.length > 0 ? `${name} takes no ${shown(words[0] ?? '')}` : undefined);
  if (wrong !== undefined || command === undefined) {
    output.err(`kubelet-confgen: ${wrong}\nsee kubelet-confgen --help\n`);
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
  const wanted = name === 'crictl' ? makeCrictlPlan(facts, data) : makePlan(facts, data);
  const tell = (plan: Plan, verbs: Report['verbs'], complete = false) => {
    const kubelet = facts.kubelet.version ?? data.kubeletVersion;
    output.out(renderReport({ ...plan, kubelet, verbs, complete }, format));
  };
  if (name === 'apply' || name === 'crictl') {
    // crictl's own configuration is somebody's as long as it is not known to be the generator's: nothing to warn of.
    const { done, findings, failed } = applyPlan(wanted, host);
    const found = name === 'crictl' ? findings.filter(({ code }) => code !== 'foreign-file') : findings;
    if (quiet) output.err(renderQuiet(forHook(found, facts), facts.cgroup.systemd ? done : []));
    else tell({ changes: done, findings: found }, { write: 'wrote', remove: 'removed' });
    return failed ? STATUS.failed : STATUS.ok;
  }
  const plan = pending(wanted, host);
  tell(plan, { write: 'would write', remove: 'would remove' }, name === 'explain');
  if (name !== 'check') return STATUS.ok;
  if (plan.changes.length > 0 || plan.findings.some(isDrift)) return STATUS.drift;
  return plan.findings.some(({ level }) => level === 'error') ? STATUS.errors : STATUS.ok;
}

function isDrift({ code }: Finding): boolean {
  return code === 'edited-file' || code === 'foreign-file';
}

/** In an image or a chroot nothing runs yet, and a hook is silent unless it failed. */
function forHook(findings: readonly Finding[], { cgroup }: Facts): Finding[] {
  return findings.filter(({ code }) => cgroup.systemd || code === 'write-failed');
}

/** The command is the first word that is no flag and no flag's value. */
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

Finds what a kubelet must be told of its host, and writes it into files of its own.

${commands}
${flagHelp(COMMON_FLAGS)}
Exit status of check: 0 in order, 1 files differ, 3 the kubelet will not work like this.
`;
}

function commandHelp(name: string, help: string, flags: readonly Flag[]): string {
  return `kubelet-confgen ${name}: ${help}\n\n${flagHelp(flags)}`;
}
