import { debPackager } from '../deb/write.ts';
import type { Packager } from '../layout/packager.ts';
import type { Format } from '../model/format.ts';
import { rpmPackager } from '../rpm/write.ts';

export const PACKAGERS: Readonly<Record<Format, Packager>> = { deb: debPackager, rpm: rpmPackager };
