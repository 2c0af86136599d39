import { compareMinors } from '../../repo/model/minors.ts';
import { publicKeyPath, type RepositoryState } from '../../repo/model/repository.ts';
import { aptLine, yumRepository } from '../../repo/site/instructions.ts';

/** The client configuration for the newest minor version, of channel stable if there is one. */
export function renderServing(state: RepositoryState, url: string): string {
  const views = state.views.filter(({ minor }) => minor !== undefined);
  const newest = [...views].sort(
    (a, b) =>
      Number(b.channel === 'stable') - Number(a.channel === 'stable') || compareMinors(b.minor ?? '', a.minor ?? ''),
  )[0];
  if (newest === undefined) return `Serving at ${url}. The repository has no packages yet.`;
  const { channel, minor } = newest;
  const served = views.filter((view) => view.channel === channel && view.minor === minor);
  const signed = newest.signedBy.length > 0;
  const request = { url, channel, minor, signed };
  return [
    `Serving at ${url}`,
    ...(served.some(({ format }) => format === 'deb')
      ? [
          '',
          `For apt, Kubernetes ${minor}:`,
          '',
          ...(signed
            ? [
                `  curl -fsSL -o /etc/apt/keyrings/trial.asc \\`,
                `    ${url}/${publicKeyPath({ ...newest, format: 'deb' })}`,
              ]
            : []),
          `  echo "${aptLine(request, '/etc/apt/keyrings/trial.asc')}" \\`,
          '    >/etc/apt/sources.list.d/trial.list',
        ]
      : []),
    ...(served.some(({ format }) => format === 'rpm')
      ? [
          '',
          'For dnf, yum and zypper, in /etc/yum.repos.d/trial.repo:',
          '',
          ...yumRepository(request)
            .split('\n')
            .map((line) => `  ${line}`),
        ]
      : []),
    '',
    'Press Ctrl-C to stop.',
  ].join('\n');
}
