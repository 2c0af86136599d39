import { debPackager } from '../deb/write.ts';
import type { Format } from '../layout/layout.ts';
import type { Packager } from '../layout/packager.ts';
import { rpmPackager } from '../rpm/write.ts';

export const PACKAGERS: Readonly<Record<Format, Packager>> = { deb: debPackager, rpm: rpmPackager };
