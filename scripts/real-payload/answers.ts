import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KubeparcelError } from '../../src/support/errors.ts';
import { RECIPE } from './recipe.ts';
import { run } from './run.ts';

interface Question {
  readonly binary: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly answer: RegExp;
}

const KUBERNETES = RECIPE.kubernetes.version.replaceAll('.', '\\.');
const CRI_TOOLS = RECIPE.criTools.version.replaceAll('.', '\\.');

const QUESTIONS: readonly Question[] = [
  { binary: 'kubelet', args: ['--version'], answer: new RegExp(`^Kubernetes v${KUBERNETES}$`) },
  { binary: 'kubeadm', args: ['version', '-o', 'short'], answer: new RegExp(`^v${KUBERNETES}$`) },
  { binary: 'kubectl', args: ['version', '--client', '--short'], answer: new RegExp(`v${KUBERNETES}$`) },
  // A crash in reflect2 shows as soon as an object is decoded, not in a version.
  {
    binary: 'kubectl',
    args: ['create', 'configmap', 'name', '--from-literal=key=value', '--dry-run=client', '-o', 'yaml'],
    answer: /^ {2}key: value$/m,
  },
  { binary: 'kubeadm', args: ['config', 'print', 'init-defaults'], answer: /^kind: ClusterConfiguration$/m },
  { binary: 'crictl', args: ['--version'], answer: new RegExp(`version ${CRI_TOOLS}$`) },
  {
    binary: 'cni/bridge',
    args: [],
    environment: { CNI_COMMAND: 'VERSION' },
    answer: /"supportedVersions":\[.*"0\.4\.0"/,
  },
];

/**
 * Runs the binaries in the directory, those that are there, and holds what they answer against the recipe.
 *
 * @throws KubeparcelError of kind 'verification' when one crashes or answers something else
 */
export async function checkAnswers(directory: string, home: string, signal: AbortSignal | undefined): Promise<void> {
  for (const { binary, args, environment, answer } of QUESTIONS) {
    const path = join(directory, binary);
    if (!existsSync(path)) {
      continue;
    }
    const failure = `${binary} does not run`;
    const hint = 'The compiled payload is of no use: see what changed in the toolchain or in Debian.';
    const said = await run(path, args, {
      cwd: home,
      environment: { PATH: process.env.PATH, HOME: home, ...environment },
      signal,
      failure,
      kind: 'verification',
      hint,
      timeout: 60_000,
    });
    if (!answer.test(said.trim())) {
      throw new KubeparcelError('verification', `${binary} ${args.join(' ')} answers ${JSON.stringify(said)}`, {
        where: path,
        hint,
      });
    }
  }
}
