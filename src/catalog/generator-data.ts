import type { GeneratorData } from '../confgen/model/data.ts';
import type { Catalog } from './model.ts';

/**
 * The data that is embedded in kubelet-confgen.
 *
 * @param kubeletVersion version of the kubelet in the same package, without `v`; undefined for `kubeparcel config`, which
 * detects the kubelet of the host
 */
export function generatorData(catalog: Catalog, kubeletVersion: string | undefined): GeneratorData {
  return { kubeletVersion, ...catalog.generator };
}
