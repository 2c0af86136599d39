import type { GeneratorData } from '../confgen/model/data.ts';
import type { Catalog } from './model.ts';

/**
 * What kubelet-confgen is packaged with.
 *
 * @param kubeletVersion of the kubelet in the same package, without `v`; undefined for `kubeparcel config`, which has
 * none beside it and goes by what it finds on the host
 */
export function generatorData(catalog: Catalog, kubeletVersion: string | undefined): GeneratorData {
  return { kubeletVersion, ...catalog.generator };
}
