import type { HostImage } from '../../container/images/hosts.ts';
import type { ImageChoice } from '../../container/images/prepare-images.ts';

/**
 * The hosts whose image can be built or pulled. Asks each registry once.
 *
 * @param isNamed hosts that the user named; they are never left out, so that the command fails and says why
 */
export async function availableHosts(
  hosts: readonly HostImage[],
  choice: ImageChoice,
  isNamed: (host: HostImage) => boolean,
): Promise<HostImage[]> {
  const { registryAnswers, registryOf } = await import('../../container/images/registry.ts');
  const answers = new Map<string, Promise<boolean>>();
  const isAvailable = async (host: HostImage) => {
    if (isNamed(host) || (choice !== 'vendor' && host.local !== undefined)) return true;
    if (choice === 'local' || host.vendor === undefined) return false;
    const registry = registryOf(host.vendor.image);
    const answer = answers.get(registry) ?? registryAnswers(registry);
    answers.set(registry, answer);
    return await answer;
  };
  const available = await Promise.all(hosts.map(isAvailable));
  return hosts.filter((_, index) => available[index]);
}
