import { expect, test } from 'vitest';
import { chooseEngine, type EngineProbe, engineFault, findEngine } from '../../../src/container/find-engine.ts';

const PODMAN: EngineProbe = { name: 'podman', version: '4.3.1' };
const DOCKER: EngineProbe = { name: 'docker', version: '27.1.0' };
const NO_PODMAN: EngineProbe = { name: 'podman', fault: 'not installed' };
const NO_DAEMON: EngineProbe = { name: 'docker', fault: 'the daemon is not running' };

test.each<[string, EngineProbe[], 'podman' | 'docker' | undefined, string]>([
  [
    'podman if both work',
    [PODMAN, DOCKER],
    undefined,
    'podman 4.3.1; not docker 27.1.0, which also works (set KUBEPARCEL_ENGINE=docker to use it).',
  ],
  ['the requested engine', [PODMAN, DOCKER], 'docker', 'docker 27.1.0; not podman 4.3.1: docker was requested.'],
  ['the only engine that works', [NO_PODMAN, DOCKER], undefined, 'docker 27.1.0; not podman: not installed.'],
  [
    'podman when the docker daemon is not running, and says so',
    [PODMAN, NO_DAEMON],
    undefined,
    'podman 4.3.1; not docker: the daemon is not running.',
  ],
])('chooses %s', (_, probes, requested, note) => {
  expect(chooseEngine(probes, requested).notes).toEqual([note]);
});

test('without a working engine, says why each one does not work and how to install one', () => {
  expect(() => chooseEngine([NO_PODMAN, NO_DAEMON], undefined)).toThrow(
    expect.objectContaining({
      kind: 'usage',
      message: 'no working container engine (podman: not installed; docker: the daemon is not running)',
      hint: expect.stringContaining('apt-get install'),
    }),
  );
  expect(() => chooseEngine([PODMAN, NO_DAEMON], 'docker')).toThrow(/docker: the daemon is not running/);
});

test.each([
  [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    1,
    /daemon is not running/,
  ],
  [
    'permission denied while trying to connect to the Docker daemon socket at unix:///x.sock',
    1,
    /no access to the docker daemon/,
  ],
  ['Command failed with ENOENT: podman version', undefined, /not installed/],
  ['Error: boom', 125, /^Error: boom$/],
  ['', 3, /status 3/],
])('explains the error message of an engine: %s', (stderr, status, fault) => {
  expect(engineFault('docker', { status, stderr, timedOut: false })).toMatch(fault);
});

test('reports an engine that does not answer', () => {
  expect(engineFault('docker', { status: undefined, stderr: '', timedOut: true })).toMatch(/no answer/);
});

test('rejects an unknown engine in KUBEPARCEL_ENGINE', async () => {
  await expect(findEngine({}, { KUBEPARCEL_ENGINE: 'lxc' })).rejects.toMatchObject({
    kind: 'usage',
    where: 'KUBEPARCEL_ENGINE',
  });
});
