import type { Format } from '../layout/layout.ts';
import type { PackageJob } from '../pipeline/run.ts';

export async function officialLayouts(jobs: readonly PackageJob[], _version: string): Promise<PackageJob[]> {
  return [...jobs];
}
export function officialDropIns(_format: Format, _version: string): string | undefined {
  return undefined;
}
