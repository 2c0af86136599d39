import { expect, test } from 'vitest';
import { chooseEngine, type EngineProbe, engineFault, findEngine } from '../../../src/container/find-engine.ts';

const PODMAN: EngineProbe = { name: 'podman', version: '4.3.1' };
const DOCKER: EngineProbe = { name: 'docker', version: '27.1.0' };
const NO_PODMAN: EngineProbe = { name: 'podman', fault: 'it is not installed' };
const NO_DAEMON: EngineProbe = { name: 'docker', fault: 'the client is there, but no daemon answers it' };

test.each<[string, EngineProbe[], 'podman' | 'docker' | undefined, string]>([
  [
    'podman first',
    [PODMAN, DOCKER],
    undefined,
    'podman 4.3.1; not docker 27.1.0, which works too (KUBEPARCEL_ENGINE=docker).',
  ],
  ['the one that was asked for', [PODMAN, DOCKER], 'docker', 'docker 27.1.0; not podman 4.3.1: docker was asked for.'],
  ['the one that works', [NO_PODMAN, DOCKER], undefined, 'docker 27.1.0; not podman: it is not installed.'],
  [
    'why not the other',
    [PODMAN, NO_DAEMON],
    undefined,
    'podman 4.3.1; not docker: the client is there, but no daemon answers it.',
  ],
])('chooses %s', (_, probes, wanted, note) => {
  expect(chooseEngine(probes, wanted).notes).toEqual([note]);
});

test('none: says why each of them is none, and how to get one', () => {
  expect(() => chooseEngine([NO_PODMAN, NO_DAEMON], undefined)).toThrow(
    expect.objectContaining({
      kind: 'usage',
      message:
        'no container engine that works (podman: it is not installed; docker: the client is there, but no daemon answers it)',
      hint: expect.stringContaining('apt-get install'),
    }),
  );
  expect(() => chooseEngine([PODMAN, NO_DAEMON], 'docker')).toThrow(/docker: the client is there/);
});

test.each([
  ['Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?', 1, /no daemon/],
  ['permission denied while trying to connect to the Docker daemon socket at unix:///x.sock', 1, /may not talk/],
  ['Command failed with ENOENT: podman version', undefined, /not installed/],
  ['Error: boom', 125, /^Error: boom$/],
  ['', 3, /status 3/],
])('reads an engine’s complaint: %s', (stderr, status, fault) => {
  expect(engineFault('docker', { status, stderr, timedOut: false })).toMatch(fault);
});

test('an engine that does not answer', () => {
  expect(engineFault('docker', { status: undefined, stderr: '', timedOut: true })).toMatch(/does not answer/);
});

test('KUBEPARCEL_ENGINE that is none', async () => {
  await expect(findEngine({}, { KUBEPARCEL_ENGINE: 'lxc' })).rejects.toMatchObject({
    kind: 'usage',
    where: 'KUBEPARCEL_ENGINE',
  });
});
