import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Component } from '../../../src/model/component.ts';
import type { Sink } from '../../../src/release/source.ts';
import { openedSource } from '../../support/release-fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Writes one script of the sample to disk, as a package installs it. */
async function standIn(component: Component, version: string, name: string = component): Promise<string> {
  const source = await openedSource('sample');
  const artifacts = await source.artifacts({ component, architecture: 'ppc64le', version }, {});
  const artifact = artifacts.find((one) => one.name === name);
  if (artifact === undefined) throw new Error(`the sample has no ${name}`);
  const path = join(temporaryDirectory(), name);
  const sink: Sink = {
    size: 0,
    validator: undefined,
    restart: async () => {},
    resume() {},
    append: async (chunk) => writeFileSync(path, chunk, { flag: 'a' }),
  };
  await source.transfer(artifact, sink, {});
  chmodSync(path, 0o755);
  return path;
}

const INFO = (minor: string, version: string) =>
  new RegExp(`version\\.Info\\{Major:"1", Minor:"${minor}", GitVersion:"${version}", .*Platform:"linux/ppc64le"\\}$`);

test.each<[Component, string, string, string[], RegExp | string]>([
  ['kubelet', 'kubelet', '1.36.4', ['--version'], 'Kubernetes v1.36.4'],
  ['kubelet', 'kubelet', '1.37.0-rc.1', ['--version'], 'Kubernetes v1.37.0-rc.1'],
  ['kubeadm', 'kubeadm', '1.20.2', ['version'], INFO('20', 'v1.20.2')],
  ['kubeadm', 'kubeadm', '1.20.2', ['version', '-o', 'short'], 'v1.20.2'],
  ['kubeadm', 'kubeadm', '1.20.2', ['version', '--output=short'], 'v1.20.2'],
  ['kubeadm', 'kubeadm', '1.20.2', ['version', '-oyaml'], /gitVersion: v1\.20\.2/],
  ['kubectl', 'kubectl', '1.20.2', ['version', '--client'], INFO('20', 'v1.20.2')],
  ['kubectl', 'kubectl', '1.36.4', ['version', '--client'], 'Client Version: v1.36.4'],
  ['crictl', 'crictl', '1.36.0', ['--version'], 'crictl version v1.36.0'],
])('%s: %s of %s %j prints its version like the real program', async (component, name, version, args, output) => {
  const path = await standIn(component, version, name);
  const { stdout, stderr } = await execa(path, args);
  if (typeof output === 'string') expect(stdout).toBe(output);
  else expect(stdout).toMatch(output);
  expect(stderr).toMatch(/kubeparcel's sample stand-in.*, not /);
});

test.each([
  ['kubeadm', ['version', '-o', 'json']],
  ['kubectl', ['version', '--client', '-o', 'json']],
] as const)('%s %j is JSON', async (component, args) => {
  const { stdout } = await execa(await standIn(component, '1.36.4'), args);
  expect(JSON.parse(stdout)).toMatchObject({ clientVersion: { gitVersion: 'v1.36.4', minor: '36' } });
});

test.each([
  ['kubeadm', ['init']],
  ['kubectl', ['get', 'pods']],
  ['crictl', ['ps']],
] as const)('%s %j fails with a reason', async (component, args) => {
  const { exitCode, stdout, stderr } = await execa(await standIn(component, '1.36.4'), args, { reject: false });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain('stand-in knows only');
});

test('a CNI plugin answers VERSION and fails ADD as the CNI specification requires', async () => {
  const path = await standIn('cni-plugins', '1.8.0', 'bridge');
  const run = (command: string | undefined) => execa(path, { env: { CNI_COMMAND: command }, reject: false });
  expect((await run(undefined)).stderr).toContain('CNI bridge plugin v1.8.0');
  expect(JSON.parse((await run('VERSION')).stdout).supportedVersions).toContain('1.0.0');
  const add = await run('ADD');
  expect(add.exitCode).toBe(1);
  expect(JSON.parse(add.stdout)).toMatchObject({ code: 100, msg: expect.stringContaining('stand-in') });
});

test('the kubelet logs its flags and waits for SIGTERM', async () => {
  const path = await standIn('kubelet', '1.36.4');
  const kubelet = spawn(path, ['--config=/var/lib/kubelet/config.yaml', '--node-ip', '10.0.0.1']);
  let log = '';
  const ended = new Promise<number | null>((resolve) => kubelet.on('close', resolve));
  kubelet.stderr.on('data', (chunk) => {
    log += chunk;
    if (log.includes('10.0.0.1')) setTimeout(() => kubelet.kill('SIGTERM'), 50);
  });
  expect(await ended).toBe(0);
  expect(log.split('\n').filter((line) => line.includes('FLAG'))).toEqual([
    'kubelet stand-in: FLAG: --config=/var/lib/kubelet/config.yaml',
    'kubelet stand-in: FLAG: --node-ip',
    'kubelet stand-in: FLAG: 10.0.0.1',
  ]);
  expect(log).toContain("kubeparcel's sample of v1.36.4 (ppc64le), not the kubelet");
});
