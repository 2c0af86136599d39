import { runCommand } from '../command.ts';

const DEBIAN = 'http://deb.debian.org/debian';

/** The Debian mirror: KUBEPARCEL_DEBIAN_MIRROR, else the mirror that apt on this machine uses, else deb.debian.org. */
export async function debianMirror(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment.KUBEPARCEL_DEBIAN_MIRROR) return environment.KUBEPARCEL_DEBIAN_MIRROR;
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)';
  const result = await runCommand(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'], {
    timeout: 20_000,
  });
  return mirrorOf(result.stdout) ?? DEBIAN;
}

/**
 * Finds the Debian mirror in apt's list of index files.
 *
 * @param targets lines of `URI|RELEASE|COMPONENT|ORIGIN`, as apt-get(8) prints them
 */
export function mirrorOf(targets: string): string | undefined {
  for (const line of targets.split('\n')) {
    const [uri = '', release = '', component, origin] = line.split('|');
    // Excludes updates and security updates: they are in separate archives.
    const isMain = /^[a-z]+$/.test(release) && component === 'main' && !/security/.test(uri);
    if (isMain && origin === 'Debian' && /^(https?|file|copy):/.test(uri)) return uri.replace(/\/+$/, '');
  }
  return undefined;
}
