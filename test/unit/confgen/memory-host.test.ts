import { describe, expect, it } from 'vitest';
import { memoryHost } from '../../support/memory-host.ts';

const host = () =>
  memoryHost({
    '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.1\n',
    '/etc/resolv.conf': { link: '../run/systemd/resolve/resolv.conf' },
    '/etc/absolute': { link: '/run/systemd' },
    '/etc/loop': { link: 'loop' },
    '/etc/denied': { denied: true },
    '/etc/latin1': { hex: 'e9' },
    '/etc/huge': { size: 100 },
    '/run/crio/crio.sock': { socket: true },
  });

describe('the host in memory', () => {
  it('follows relative and absolute links, in the middle of a path too', () => {
    const text = { kind: 'text', text: 'nameserver 192.0.2.1\n' };
    expect(host().read('/etc/resolv.conf')).toEqual(text);
    expect(host().read('/etc/absolute/resolve/resolv.conf')).toEqual(text);
    expect(host().list('/etc/absolute')).toEqual(['resolve']);
  });

  it('does not follow the last component in stat', () => {
    expect(host().stat('/etc/resolv.conf').kind).toBe('symlink');
    expect(host().stat('/run/crio/crio.sock').kind).toBe('socket');
    expect(host().stat('/run').kind).toBe('directory');
    expect(host().stat('/etc/none').kind).toBe('absent');
  });

  it('gives the reason for a failed read', () => {
    expect(host().read('/etc/loop').kind).toBe('absent');
    expect(host().read('/etc/denied')).toEqual({ kind: 'unreadable', reason: 'permission denied' });
    expect(host().read('/etc/latin1')).toEqual({ kind: 'unreadable', reason: 'not UTF-8' });
    expect(host().read('/etc')).toEqual({ kind: 'unreadable', reason: 'is a directory' });
    expect(host().read('/run/crio/crio.sock').kind).toBe('unreadable');
    expect(host().read('/etc/huge', 99)).toEqual({ kind: 'too-large', limit: 99 });
    expect(host().read('/etc/huge', 100).kind).toBe('text');
  });

  it('stores written files and records touched paths', () => {
    const changed = host();
    changed.write('/etc/kubernetes/a.conf', 'a\n', 0o600);
    changed.remove('/etc/denied');
    changed.remove('/etc/none');
    expect(changed.tree()['/etc/kubernetes/a.conf']).toEqual({ file: 'a\n', mode: 0o600 });
    expect(changed.stat('/etc/denied').kind).toBe('absent');
    expect(changed.touched).toEqual(['/etc/kubernetes/a.conf', '/etc/denied']);
    expect(changed.list('/etc/kubernetes')).toEqual(['a.conf']);
    expect(() => changed.write('/run', '', 0o644)).toThrow('/run');
  });
});
