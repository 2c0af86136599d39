import type { Compression } from '../model/compression.ts';
import type { Layout } from '../model/layout.ts';
import { hasLargeFiles, type ListedFile } from './file-list.ts';
import { DEPENDENCY_TAGS, type Dependencies, type DependencyList } from './relations.ts';
import { isRich } from './rich.ts';
import { scriptFeatures } from './scripts.ts';
import { type Dependency, SENSE } from './sense.ts';

/** Features of the package that an rpm must know to install it, with the version that brought each (rpm --showrc). */
const FEATURES = {
  CompressedFileNames: '3.0.4-1',
  PayloadFilesHavePrefix: '4.0-1',
  ScriptletInterpreterArgs: '4.0.3-1',
  BuiltinLuaScripts: '4.2.2-1',
  FileDigests: '4.6.0-1',
  PayloadIsXz: '5.2-1',
  TildeInVersions: '4.10.0-1',
  LargeFiles: '4.12.0-1',
  RichDependencies: '4.12.0-1',
  PayloadIsZstd: '5.4.18-1',
  CaretInVersions: '4.15.0-1',
} as const;

/** `rpmlib(FEATURE) <= VERSION` for what a package of this layout, compressed like this, uses. */
export function rpmlibDependencies(
  layout: Layout,
  stated: Dependencies,
  files: readonly ListedFile[],
  compression: Compression,
): Dependency[] {
  const all = (Object.keys(DEPENDENCY_TAGS) as DependencyList[]).flatMap((list) => stated[list]);
  const scripts = scriptFeatures(layout);
  const used: Readonly<Record<keyof typeof FEATURES, boolean>> = {
    CompressedFileNames: true,
    PayloadFilesHavePrefix: true,
    ScriptletInterpreterArgs: scripts.interpreterArguments,
    BuiltinLuaScripts: scripts.lua,
    FileDigests: true,
    PayloadIsXz: compression.codec === 'xz',
    TildeInVersions: all.some(({ version }) => version.includes('~')),
    LargeFiles: hasLargeFiles(files),
    RichDependencies: all.some(({ name }) => isRich(name)),
    PayloadIsZstd: compression.codec === 'zstd',
    CaretInVersions: all.some(({ version }) => version.includes('^')),
  };
  return (Object.keys(FEATURES) as (keyof typeof FEATURES)[])
    .filter((feature) => used[feature])
    .map((feature) => ({
      name: `rpmlib(${feature})`,
      version: FEATURES[feature],
      flags: SENSE.rpmlib | SENSE.less | SENSE.equal,
    }));
}
