import type { ReleaseArguments } from '../options/release-options.ts';

export const ASSEMBLIES = ['native', 'container'] as const;
export type Assembly = (typeof ASSEMBLIES)[number];

export interface BuildArguments extends ReleaseArguments {
  out: string | undefined;
  'dry-run': boolean;
  assemble: Assembly;
}
