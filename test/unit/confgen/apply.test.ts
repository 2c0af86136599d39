import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPlan, pendingChanges } from '../../../src/confgen/apply/apply.ts';
import { makeCrictlPlan, makePlan } from '../../../src/confgen/plan/plan.ts';
import { bytesOf, memoryHost, type Tree } from '../../support/memory-host.ts';
import { type Changes, CONTAINERD, CRIO, DATA, DOCKER, hostFacts } from './host-facts.ts';

const ENVIRONMENT = '/var/lib/kubelet-confgen/kubelet.env';
const CONFIG = '/etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf';
const CRICTL = '/etc/crictl.yaml';
const STATE = '/var/lib/kubelet-confgen/state.json';

const plan = (version: string, changes: Changes = {}) => makePlan(hostFacts(version, changes), DATA);

function textAt(tree: Tree, path: string): string | undefined {
  const node = tree[path];
  return node === undefined ? undefined : Buffer.from(bytesOf(node)).toString();
}

function findingCodes(found: { readonly findings: readonly { readonly code: string; readonly level: string }[] }) {
  return found.findings.filter(({ level }) => level !== 'info').map(({ code }) => code);
}

describe('applyPlan', () => {
  test.each(['1.11.0', '1.29.0', '1.30.0', '1.37.0'])('%s: a second run changes nothing', (version) => {
    const host = memoryHost({});
    const first = applyPlan(plan(version), host);
    expect(first.failed).toBe(false);
    expect(first.done.length).toBeGreaterThan(0);
    expect(pendingChanges(plan(version), host).changes).toEqual([]);
    const touched = host.touched.length;
    expect(applyPlan(plan(version), host).done).toEqual([]);
    expect(host.touched).toHaveLength(touched);
  });

  test('an upgrade to 1.30 moves settings from flags to the directory, and a downgrade moves them back', () => {
    const host = memoryHost({});
    applyPlan(plan('1.29.0'), host);
    expect(textAt(host.tree(), ENVIRONMENT)).toContain('--container-runtime-endpoint=');
    applyPlan(plan('1.30.0'), host);
    expect(textAt(host.tree(), ENVIRONMENT)).not.toContain('--container-runtime-endpoint=');
    expect(textAt(host.tree(), CONFIG)).toContain('containerRuntimeEndpoint: ');
    const { done } = applyPlan(plan('1.29.0'), host);
    expect(done.map(({ kind, path }) => [kind, path])).toEqual([
      ['write', ENVIRONMENT],
      ['remove', CONFIG],
    ]);
    expect(host.tree()).not.toHaveProperty([CONFIG]);
    expect(textAt(host.tree(), STATE)).not.toContain(CONFIG);
  });

  test('removes the env file when the cluster configures all settings', () => {
    const host = memoryHost({});
    applyPlan(plan('1.29.0'), host);
    const set = { config: { cgroupDriver: 'systemd', containerRuntimeEndpoint: CONTAINERD.endpoint } };
    expect(applyPlan(plan('1.29.0', set), host).done).toMatchObject([{ kind: 'remove', path: ENVIRONMENT }]);
    expect(host.tree()).not.toHaveProperty([ENVIRONMENT]);
  });

  test('reports an edited file and does not change it; writes it again after it was removed', () => {
    const host = memoryHost({});
    applyPlan(plan('1.36.0'), host);
    host.write(CONFIG, 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n', 0o644);
    for (const version of ['1.36.0', '1.29.0']) {
      const again = applyPlan(plan(version), host);
      expect(findingCodes(again)).toEqual(['edited-file']);
      expect(textAt(host.tree(), CONFIG)).not.toContain('containerRuntimeEndpoint');
    }
    host.remove(CONFIG);
    expect(findingCodes(applyPlan(plan('1.36.0'), host))).toEqual([]);
    expect(textAt(host.tree(), CONFIG)).toContain('containerRuntimeEndpoint');
  });

  test('without a state file, reports edited files and records up-to-date files', () => {
    const host = memoryHost({});
    applyPlan(plan('1.36.0'), host);
    host.remove(STATE);
    expect(applyPlan(plan('1.36.0'), host).done).toEqual([]);
    expect(textAt(host.tree(), STATE)).toContain(CONFIG);
    host.remove(STATE);
    expect(findingCodes(applyPlan(plan('1.36.0', { runtimes: [CRIO] }), host))).toEqual(['edited-file']);
  });

  test.each<[string, Tree[string]]>([
    ['a file', 'kind: KubeletConfiguration\n'],
    ['a link', { link: '/etc/shadow' }],
    ['a directory', { directory: true }],
    ['a pipe', { other: true }],
    ['an enormous file', { size: 1 << 21 }],
  ])('does not replace %s that kubelet-confgen did not write', (_, node) => {
    const host = memoryHost({ [CONFIG]: node, '/etc/shadow': 'root:*:' });
    const applied = applyPlan(plan('1.36.0'), host);
    expect(findingCodes(applied)).toEqual(['foreign-file']);
    expect(host.tree()[CONFIG]).toEqual(node);
    expect(host.tree()['/etc/shadow']).toBe('root:*:');
    expect(findingCodes(applyPlan(plan('1.29.0'), host))).toEqual([]);
    expect(host.tree()[CONFIG]).toEqual(node);
  });

  test.each([
    '',
    'null',
    '[]',
    '{"files":[]}',
    `{"files":{"/etc/passwd":["${'a'.repeat(64)}"]}}`,
    '{"files":{"/etc/crictl.yaml":"x","__proto__":{"a":1}}}',
  ])('ignores a damaged state file (%s)', (record) => {
    const host = memoryHost({ [STATE]: record, '/etc/passwd': 'root' });
    expect(applyPlan(plan('1.36.0'), host).failed).toBe(false);
    expect(pendingChanges(plan('1.36.0'), host).changes).toEqual([]);
    expect(host.tree()['/etc/passwd']).toBe('root');
    expect(textAt(host.tree(), STATE)).not.toContain('passwd');
  });

  test('reports a failed write and stops; the next run completes', () => {
    for (const [failing, written] of [
      [STATE, []],
      [CONFIG, []],
      [ENVIRONMENT, [CONFIG]],
    ] as const) {
      const host = memoryHost({});
      const broken = {
        ...host,
        write: (path: string, text: string, mode: number) => {
          if (path === failing) throw new Error('no space left on device\n  at somewhere');
          host.write(path, text, mode);
        },
      };
      const applied = applyPlan(plan('1.36.0'), broken);
      expect(applied).toMatchObject({ failed: true });
      expect(findingCodes(applied)).toEqual(['write-failed']);
      expect(applied.findings.map(({ what }) => what).join()).not.toContain('at somewhere');
      expect(applied.done.map(({ path }) => path)).toEqual(written);
      expect(findingCodes(applyPlan(plan('1.36.0'), host))).toEqual([]);
      expect(pendingChanges(plan('1.36.0'), host).changes).toEqual([]);
    }
  });

  test('a run killed between any two writes leaves no file that counts as edited', () => {
    for (let survives = 0; survives < 6; survives += 1) {
      const host = memoryHost({});
      applyPlan(plan('1.36.0'), host);
      let left = survives;
      const killed = {
        ...host,
        write: (path: string, text: string, mode: number) => {
          left -= 1;
          if (left >= 0) host.write(path, text, mode);
        },
      };
      applyPlan(plan('1.36.0', { runtimes: [CRIO] }), killed);
      const later = applyPlan(plan('1.36.0', { runtimes: [] }), host);
      expect(
        findingCodes(later).filter((code) => code === 'edited-file'),
        `after ${survives} writes`,
      ).toEqual([]);
    }
  });

  test('changes nothing when it is disabled or the version is unknown', () => {
    for (const inactive of [plan('1.36.0', { settings: { off: true } }), plan('1.99.0')]) {
      const host = memoryHost({});
      applyPlan(plan('1.36.0'), host);
      const before = host.tree();
      expect(applyPlan(inactive, host).done).toEqual([]);
      expect(host.tree()).toEqual(before);
    }
  });
});

describe('crictl.yaml', () => {
  const crictl = (changes: Changes, version = '1.36.0') => makeCrictlPlan(hostFacts(version, changes), DATA);

  test.each<[string, Changes, string | undefined]>([
    ['has the only runtime', {}, CONTAINERD.endpoint],
    [
      'has the requested runtime',
      { runtimes: [CONTAINERD, CRIO], settings: { criEndpoint: CRIO.endpoint } },
      CRIO.endpoint,
    ],
    [
      'has the runtime configured for the kubelet',
      { runtimes: [CONTAINERD, CRIO], kubeadmArgs: ['--container-runtime-endpoint=/run/containerd/containerd.sock'] },
      CONTAINERD.endpoint,
    ],
    ['is not written with two runtimes', { runtimes: [CONTAINERD, CRIO] }, undefined],
    ['is not written without a runtime', { runtimes: [] }, undefined],
    ['is not written when disabled', { settings: { off: true } }, undefined],
    ['is not written with an invalid endpoint', { settings: { criEndpoint: 'unix:///a b' } }, undefined],
  ])('%s', (_, changes, endpoint) => {
    const host = memoryHost({});
    applyPlan(crictl(changes), host);
    expect(textAt(host.tree(), CRICTL)?.replace(/^#.*\n/gm, '')).toBe(
      endpoint === undefined ? undefined : `runtime-endpoint: ${endpoint}\nimage-endpoint: ${endpoint}\n`,
    );
  });

  test('is not written for the dockershim', () => {
    expect(crictl({ runtimes: [DOCKER] }, '1.20.0').changes).toEqual([]);
  });

  test('is not replaced when kubelet-confgen did not write it; otherwise follows the host, and is kept when the runtime is ambiguous', () => {
    const theirs = memoryHost({ [CRICTL]: 'timeout: 2\n' });
    expect(applyPlan(crictl({}), theirs).done).toEqual([]);
    expect(theirs.tree()).toEqual({ [CRICTL]: 'timeout: 2\n' });
    const host = memoryHost({});
    applyPlan(crictl({}), host);
    applyPlan(crictl({ runtimes: [CRIO] }), host);
    applyPlan(crictl({ runtimes: [CRIO, CONTAINERD] }), host);
    expect(textAt(host.tree(), CRICTL)).toContain(CRIO.endpoint);
    applyPlan(plan('1.36.0'), host);
    applyPlan(crictl({}), host);
    expect(textAt(host.tree(), CRICTL)).toContain(CONTAINERD.endpoint);
  });
});

const word = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('/etc/passwd', '../..', 'unix:///run/x.sock', '"; rm'),
);
const someFacts = fc.record({
  version: fc.constantFrom('1.11.0', '1.20.2', '1.24.0', '1.29.0', '1.30.0', '1.37.0', '9.9.9'),
  runtimes: fc
    .subarray([CONTAINERD, CRIO, DOCKER])
    .chain((list) => fc.tuple(...list.map((each) => word.map((endpoint) => ({ ...each, endpoint }))))),
  settings: fc.record({
    criEndpoint: fc.option(word, { nil: undefined }),
    hostnameOverride: fc.option(word, { nil: undefined }),
  }),
  resolver: fc.record({ resolved: fc.boolean(), loopback: fc.boolean(), missing: fc.array(word, { maxLength: 2 }) }),
  config: fc.record({
    resolvConf: fc.option(word, { nil: undefined }),
    cgroupDriver: fc.option(word, { nil: undefined }),
  }),
  extraArgs: fc.array(
    word.map((text) => `--config-dir=${text}`),
    { maxLength: 1 },
  ),
});

test('on any host, only managed files are written, and their values need no quoting in systemd and YAML', () => {
  fc.assert(
    fc.property(someFacts, ({ version, runtimes, ...changes }) => {
      const facts = hostFacts(version, { ...changes, runtimes: runtimes as Changes['runtimes'] & object });
      const host = memoryHost({ '/etc/passwd': 'root', '/etc/default/kubelet': 'KUBELET_EXTRA_ARGS=\n' });
      applyPlan(makePlan(facts, DATA), host);
      applyPlan(makeCrictlPlan(facts, DATA), host);
      expect(pendingChanges(makePlan(facts, DATA), host).changes).toEqual([]);
      for (const path of host.touched) expect([ENVIRONMENT, CONFIG, CRICTL, STATE]).toContain(path);
      const environment = textAt(host.tree(), ENVIRONMENT);
      if (environment !== undefined) {
        const lines = environment
          .trimEnd()
          .split('\n')
          .filter((line) => line[0] !== '#');
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(
          /^KUBELET_CONFIG_ARGS="--config=\/var\/lib\/kubelet\/config\.yaml( --[a-z-]+=[\w./:@+-]+)+"$/,
        );
      }
      for (const line of (textAt(host.tree(), CONFIG) ?? '').split('\n')) {
        expect(line).toMatch(/^(#.*|[A-Za-z]+: [\w./:@+-]+)?$/);
      }
    }),
    { numRuns: 300 },
  );
});
