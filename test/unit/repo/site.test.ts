import { describe, expect, test } from 'vitest';
import { instructions } from '../../../src/repo/site/instructions.ts';
import { siteModel } from '../../../src/repo/site/model.ts';
import { KEY, siteFixture, siteOfFixture } from '../../support/site-fixture.ts';

describe('the site', () => {
  test('stable is first; minors and versions are sorted newest first', () => {
    const { index, records } = siteFixture();
    const { channels } = siteModel(index, records);
    expect(channels.map(({ channel }) => channel)).toEqual(['stable', 'testing']);
    const [stable] = channels;
    expect(stable?.minors.map(({ minor, newest }) => [minor, newest])).toEqual([
      ['1.36', '1.36.10-1'],
      ['1.35', '1.35.9-1'],
      ['1.9', '1.9.1-1'],
    ]);
    expect(stable?.minors[0]?.architectures).toEqual(['amd64', 'arm64', 'ppc64le', 's390x']);
    const versions = stable?.minors[0]?.packages.find(({ name }) => name === 'kubelet')?.versions;
    expect(versions?.map(({ version, files }) => [version, files.length])).toEqual([
      ['1.36.10-1', 8],
      ['1.36.4-1', 8],
    ]);
  });

  test('the same input gives the same pages, without scripts and with everything escaped', async () => {
    const pages = await siteOfFixture();
    expect(await siteOfFixture()).toEqual(pages);
    expect(pages.map(({ path }) => path)).toEqual([
      'site/style.css',
      'index.html',
      'site/stable/v1.36.html',
      'site/stable/v1.35.html',
      'site/stable/v1.9.html',
      'site/testing/v1.37.html',
    ]);
    for (const { text } of pages) {
      expect(text).not.toContain('<script');
      expect(text).not.toContain('<b>');
      expect(text).not.toContain('undefined');
    }
    expect(pages[2]?.text).toContain('&lt;script&gt;');
    expect(pages[2]?.text).toContain('0123 4567 89AB CDEF');
    expect(pages[2]?.text).toContain('href="../../pool/k/kubelet/kubelet_1.36.10-1_amd64.deb"');
    expect(pages[2]?.text).toContain(
      'gpgkey=https://packages.example.org/kubernetes/core:/stable:/v1.36/rpm/repodata/repomd.xml.key',
    );
  });

  test('an unsigned repository has a warning and instructions without signature checks', async () => {
    const [, index] = await siteOfFixture([]);
    expect(index?.text).toContain('This repository is not signed');
    expect(index?.text).toContain('[trusted=yes]');
    expect(index?.text).not.toContain(KEY.fingerprint.slice(0, 4));
    expect(index?.text).toContain('gpgcheck=0');
  });
});

test('instructions for all minors together', () => {
  const of = (client: 'apt' | 'dnf' | 'zypper') =>
    instructions({ client, url: 'http://h', channel: 'stable', minor: undefined, signed: true })
      .map(({ commands }) => commands)
      .join('\n');
  expect(of('apt')).toContain('deb [signed-by=/etc/apt/keyrings/kubernetes.asc] http://h/ stable main');
  expect(of('dnf')).toContain('baseurl=http://h/rpm/stable/\n');
  expect(of('zypper')).toContain('http://h/rpm/stable/ kubernetes');
});
