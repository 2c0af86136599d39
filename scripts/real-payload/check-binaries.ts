import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KubeparcelError } from '../../src/support/errors.ts';
import { run } from '../run.ts';
import { RECIPE } from './recipe.ts';

interface Check {
  readonly binary: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly output: RegExp;
}

const KUBERNETES = RECIPE.kubernetes.version.replaceAll('.', '\\.');
const CRI_TOOLS = RECIPE.criTools.version.replaceAll('.', '\\.');

const CHECKS: readonly Check[] = [
  { binary: 'kubelet', args: ['--version'], output: new RegExp(`^Kubernetes v${KUBERNETES}$`) },
  { binary: 'kubeadm', args: ['version', '-o', 'short'], output: new RegExp(`^v${KUBERNETES}$`) },
  { binary: 'kubectl', args: ['version', '--client', '--short'], output: new RegExp(`v${KUBERNETES}$`) },
  // A crash in reflect2 occurs when an object is decoded.
  {
    binary: 'kubectl',
    args: ['create', 'configmap', 'name', '--from-literal=key=value', '--dry-run=client', '-o', 'yaml'],
    output: /^ {2}key: value$/m,
  },
  { binary: 'kubeadm', args: ['config', 'print', 'init-defaults'], output: /^kind: ClusterConfiguration$/m },
  { binary: 'crictl', args: ['--version'], output: new RegExp(`version ${CRI_TOOLS}$`) },
  {
    binary: 'cni/bridge',
    args: [],
    environment: { CNI_COMMAND: 'VERSION' },
    output: /"supportedVersions":\[.*"0\.4\.0"/,
  },
];

/**
 * Runs the binaries of the directory and compares their output with the recipe. Skips missing binaries.
 *
 * @throws KubeparcelError of kind 'verification' if one fails or has other output
 */
export async function checkBinaries(directory: string, home: string, signal: AbortSignal | undefined): Promise<void> {
  for (const { binary, args, environment, output: expected } of CHECKS) {
    const path = join(directory, binary);
    if (!existsSync(path)) {
      continue;
    }
    const failure = `${binary} does not run`;
    const hint = 'check what changed in the toolchain or in Debian';
    const output = await run(path, args, {
      cwd: home,
      environment: { PATH: process.env.PATH, HOME: home, ...environment },
      signal,
      failure,
      kind: 'verification',
      hint,
      timeout: 60_000,
    });
    if (!expected.test(output.trim())) {
      throw new KubeparcelError(
        'verification',
        `unexpected output of ${binary} ${args.join(' ')}: ${JSON.stringify(output)}`,
        {
          where: path,
          hint,
        },
      );
    }
  }
}
