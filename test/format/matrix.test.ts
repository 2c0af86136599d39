import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import { diffLayouts } from '../../src/layout/diff.ts';
import { ARCHITECTURES } from '../../src/model/architecture.ts';
import type { Layout } from '../../src/model/layout.ts';
import { readPackage } from '../../src/pipeline/read-package.ts';
import { buildSample, type SamplePackage } from '../support/build-sample.ts';
import { asDpkgDeb, asRpm, dpkgDeb, rpm } from '../support/package-facts.ts';
import { hasTool } from '../support/tools.ts';

const PACKAGES = ['cri-tools', 'kubeadm', 'kubectl', 'kubelet', 'kubernetes-cni'];
const UNCOMPRESSED = { codec: 'none', level: 0 } as const;

const { distributions } = await loadCatalog();
const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-matrix-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(distributions)('$id', ({ id, format }) => {
  let native: SamplePackage[];
  let foreign: SamplePackage[];

  beforeAll(async () => {
    const [first, ...others] = ARCHITECTURES;
    const options = { version: '1.36.4', distributions: [id] };
    native = await buildSample(join(directory, id), { ...options, architectures: [first] });
    foreign = await buildSample(join(directory, id), {
      ...options,
      architectures: others,
      compression: UNCOMPRESSED,
    });
  });

  test('all packages for all architectures have the same layout when read back', async () => {
    const built = [...native, ...foreign];
    const pairs = built.map(({ layout }) => `${layout.name} ${layout.architecture}`);
    const words = { deb: ['amd64', 'arm64', 'ppc64el', 's390x'], rpm: ['x86_64', 'aarch64', 'ppc64le', 's390x'] };
    expect(pairs).toEqual(words[format].flatMap((word) => PACKAGES.map((name) => `${name} ${word}`)));
    for (const { path, layout } of built) {
      const read = await readPackage(path);
      expect(diffLayouts(atNoon(layout), read.layout), path).toEqual([]);
    }
  });

  const tool = { deb: 'dpkg-deb', rpm: 'rpm' }[format];
  test.skipIf(!hasTool(tool) || !hasTool('tar'))(`${tool} reads what the layouts state`, async () => {
    for (const { path, layout } of native) {
      if (format === 'deb') expect(await dpkgDeb(path)).toEqual(asDpkgDeb(layout));
      else expect(await rpm(path, directory)).toEqual(asRpm(layout));
    }
  });
});

/** An RPM's changelog knows days only. */
function atNoon(layout: Layout): Layout {
  if (layout.format === 'deb') return layout;
  const day = 24 * 60 * 60;
  const changelog = layout.changelog.map((entry) => ({
    ...entry,
    date: Math.floor(entry.date / day) * day + day / 2,
  }));
  return { ...layout, changelog };
}

/** As the first kubeadm of 1.11 to the newest had it, but for the path in the format's own spelling. */
const dropIn = (environment: string) => `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generates at runtime, populating the KUBELET_KUBEADM_ARGS variable dynamically
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# This is a file that the user can use for overrides of the kubelet args as a last resort. Preferably, the user should use
# the .NodeRegistration.KubeletExtraArgs object in the configuration files instead. KUBELET_EXTRA_ARGS should be sourced from this file.
EnvironmentFile=-${environment}
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

interface Era {
  /** In packages: 1.37.0~rc.1 */
  readonly spelled: string;
  /** Path of the drop-in in DEBs; RPMs have always had it below /usr/lib. */
  readonly dropIns: '/etc' | '/usr/lib';
  readonly kubeadm: readonly string[];
  /** In addition to iptables, util-linux and mount. */
  readonly kubelet: readonly string[];
}

const TOOLS = ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat'];

/** What the packages of these releases asked for when they came out. */
const ERAS: Readonly<Record<string, Era>> = {
  '1.11.10': {
    spelled: '1.11.10',
    dropIns: '/etc',
    kubeadm: ['kubelet >= 1.6.0', 'kubectl >= 1.6.0', 'kubernetes-cni >= 0.6.0', 'cri-tools >= 1.11.0'],
    kubelet: ['kubernetes-cni >= 0.6.0', 'ebtables', 'ethtool', 'iproute', 'socat'],
  },
  '1.20.2': {
    spelled: '1.20.2',
    dropIns: '/etc',
    kubeadm: ['kubelet >= 1.13.0', 'kubectl >= 1.13.0', 'kubernetes-cni >= 0.8.7', 'cri-tools >= 1.13.0'],
    kubelet: ['kubernetes-cni >= 0.8.7', ...TOOLS],
  },
  '1.24.17': {
    spelled: '1.24.17',
    dropIns: '/etc',
    kubeadm: ['kubelet >= 1.19.0', 'kubectl >= 1.19.0', 'kubernetes-cni >= 1.1.1', 'cri-tools >= 1.25.0'],
    kubelet: ['kubernetes-cni >= 1.1.1', ...TOOLS],
  },
  '1.30.14': {
    spelled: '1.30.14',
    dropIns: '/usr/lib',
    kubeadm: ['cri-tools >= 1.30.0'],
    kubelet: ['kubernetes-cni >= 1.2.0', ...TOOLS],
  },
  '1.36.4': { spelled: '1.36.4', dropIns: '/usr/lib', kubeadm: [], kubelet: ['kubernetes-cni >= 1.2.0'] },
  '1.37.0-rc.1': { spelled: '1.37.0~rc.1', dropIns: '/usr/lib', kubeadm: [], kubelet: ['kubernetes-cni >= 1.2.0'] },
};

describe.each(Object.entries(ERAS))('the packages of Kubernetes %s', (version, era) => {
  let built: SamplePackage[];
  const find = (file: string) => {
    const found = built.find(({ path }) => path.endsWith(`/${file}`));
    if (found === undefined) throw new Error(`no ${file}, but ${built.map(({ path }) => path).join(' ')}`);
    return found.path;
  };

  beforeAll(async () => {
    built = await buildSample(join(directory, version), { version, compression: UNCOMPRESSED });
  });

  describe.skipIf(!hasTool('dpkg-deb') || !hasTool('tar'))('as DEBs', () => {
    const deb = (name: string) => find(`${name}_${era.spelled}-1_amd64.deb`);

    test('have the version and relations of that release', async () => {
      const names: Readonly<Record<string, string>> = { iproute: 'iproute2' };
      const [kubeadm, kubelet] = [await dpkgDeb(deb('kubeadm')), await dpkgDeb(deb('kubelet'))];
      expect(kubeadm.fields).toMatchObject({ Package: 'kubeadm', Version: `${era.spelled}-1` });
      const relations = (field = '') => (field === '' ? [] : field.split(', ').sort());
      const spelled = (words: readonly string[]) =>
        words.map((word) => (names[word] ?? word).replace(/ (.*)$/, ' ($1)')).sort();
      expect(relations(kubeadm.fields.Depends)).toEqual(spelled(era.kubeadm));
      expect(relations(kubelet.fields.Depends)).toEqual(
        spelled(['iptables >= 1.4.21', 'util-linux', 'mount', ...era.kubelet]),
      );
    });

    test('contain the drop-in and the env file of that release', async () => {
      const path = `${era.dropIns}/systemd/system/kubelet.service.d/10-kubeadm.conf`;
      expect(await debFiles(deb('kubeadm'), '10-kubeadm.conf')).toEqual({ [path]: dropIn('/etc/default/kubelet') });
      expect(await debFiles(deb('kubelet'), 'kubelet')).toMatchObject({
        '/etc/default/kubelet': 'KUBELET_EXTRA_ARGS=\n',
        '/usr/bin/kubelet': expect.stringContaining(version),
      });
      const conffiles = await execa('dpkg-deb', ['--info', deb('kubeadm'), 'conffiles'], { reject: false });
      expect(conffiles.stdout).toBe(era.dropIns === '/etc' ? path : '');
      expect((await execa('dpkg-deb', ['--info', deb('kubelet'), 'conffiles'])).stdout).toBe('/etc/default/kubelet');
    });
  });

  describe.skipIf(!hasTool('rpm') || !hasTool('rpm2cpio') || !hasTool('cpio'))('as RPMs', () => {
    const rpmFile = (name: string) => find(`${name}-${era.spelled}-1.x86_64.rpm`);

    test('have the version and relations of that release', async () => {
      const names: Readonly<Record<string, string>> = {
        conntrack: 'conntrack-tools',
        iproute: '(iproute or iproute2)',
      };
      const [kubeadm, kubelet] = [await rpm(rpmFile('kubeadm'), directory), await rpm(rpmFile('kubelet'), directory)];
      expect(kubeadm.tags).toMatchObject({ NAME: 'kubeadm', VERSION: era.spelled, RELEASE: '1' });
      const spelled = (words: readonly string[]) => words.map((word) => names[word] ?? word).sort();
      expect(kubeadm.relations.requires).toEqual(spelled(era.kubeadm));
      const config = `config(kubelet) = ${era.spelled}-1`;
      expect(kubelet.relations.requires).toEqual(spelled(['iptables >= 1.4.21', 'util-linux', config, ...era.kubelet]));
    });

    test('contain the drop-in and the env file of that release', async () => {
      const path = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf';
      expect(await rpmFiles(rpmFile('kubeadm'), '10-kubeadm.conf')).toEqual({
        [path]: dropIn('/etc/sysconfig/kubelet'),
      });
      expect(await rpmFiles(rpmFile('kubelet'), 'kubelet')).toMatchObject({
        '/etc/sysconfig/kubelet': 'KUBELET_EXTRA_ARGS=\n',
        '/usr/bin/kubelet': expect.stringContaining(version),
      });
      const { stdout } = await execa('rpm', ['--dbpath', `${directory}/db`, '-qpc', rpmFile('kubelet')]);
      expect(stdout).toBe('/etc/sysconfig/kubelet');
    });
  });
});

test.skipIf(!hasTool('dpkg') || !hasTool('rpm'))('a pre-release is older than its release', async () => {
  await execa('dpkg', ['--compare-versions', '1.37.0~rc.1-1', 'lt', '1.37.0-1']);
  const { stdout } = await execa('rpm', ['--eval', "%{lua:print(rpm.vercmp('1.37.0~rc.1', '1.37.0'))}"]);
  expect(stdout.trim()).toBe('-1');
});

/** Text by path of the files of this name in a DEB. */
async function debFiles(path: string, name: string): Promise<Record<string, string>> {
  return filesOf('dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2"', path, name);
}

/** Text by path of the files of this name in an RPM. */
async function rpmFiles(path: string, name: string): Promise<Record<string, string>> {
  return filesOf('rpm2cpio "$1" | (cd "$2" && cpio -id --quiet)', path, name);
}

async function filesOf(unpack: string, path: string, name: string): Promise<Record<string, string>> {
  const root = mkdtempSync(join(directory, 'root-'));
  await execa('sh', ['-euc', unpack, 'sh', path, root]);
  const found = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name === name,
  );
  return Object.fromEntries(
    found.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file.slice(root.length), readFileSync(file, 'utf8')];
    }),
  );
}
