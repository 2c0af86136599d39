import { runCommand } from '../command.ts';

const DEBIAN = 'http://deb.debian.org/debian';

/** The mirror of Debian's archive that this machine's apt uses, else Debian's own; KUBEPARCEL_DEBIAN_MIRROR overrides it. */
export async function debianMirror(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const stated = environment.KUBEPARCEL_DEBIAN_MIRROR;
  if (stated !== undefined && stated !== '') return stated;
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)';
  const result = await runCommand(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'], {
    timeout: 20_000,
  });
  return mirrorOf(result.stdout) ?? DEBIAN;
}

/**
 * The mirror in apt's list of index files.
 *
 * @param targets lines of `URI|RELEASE|COMPONENT|ORIGIN`, as apt-get(8) prints them
 */
export function mirrorOf(targets: string): string | undefined {
  for (const line of targets.split('\n')) {
    const [uri = '', release = '', component, origin] = line.split('|');
    // Updates and security updates are archives of their own, with other releases in them.
    const whole = /^[a-z]+$/.test(release) && component === 'main' && !/security/.test(uri);
    if (whole && origin === 'Debian' && /^(https?|file|copy):/.test(uri)) return uri.replace(/\/+$/, '');
  }
  return undefined;
}
