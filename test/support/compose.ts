import type { Catalog } from '../../src/catalog/model.ts';
import { pinsFor, releaseDate } from '../../src/catalog/pins.ts';
import type { Target } from '../../src/catalog/targets.ts';
import { composeLayout } from '../../src/layout/compose.ts';
import type { Restart } from '../../src/layout/compose-scripts.ts';
import type { TemplateSet } from '../../src/layout/templates.ts';
import { ARCHITECTURES, type Architecture } from '../../src/model/architecture.ts';
import type { Component } from '../../src/model/component.ts';
import type { Layout } from '../../src/model/layout.ts';
import type { Payload, PayloadFile } from '../../src/model/payload.ts';
import type { RelationKind } from '../../src/model/relation.ts';
import { formatRelation } from '../../src/model/relation.ts';

/** A payload file without contents, only with a digest. */
export function payloadFile(name: string, change: Partial<PayloadFile> = {}): PayloadFile {
  return { name, sha256: 'ab'.repeat(32), size: 42, executable: true, libraries: [], ...change };
}

/** All components of a release for all architectures; `files` replaces those of a component. */
function payloadOf(
  catalog: Catalog,
  version: string,
  files: Partial<Record<Component, readonly PayloadFile[]>> = {},
): Payload {
  const { criTools, cniPlugins } = pinsFor(catalog, version);
  const plain = (name: string) => payloadFile(name, { executable: false });
  const components: [Component, string, readonly PayloadFile[]][] = [
    ['kubeadm', version, [payloadFile('kubeadm')]],
    ['kubelet', version, [payloadFile('kubelet')]],
    ['kubectl', version, [payloadFile('kubectl')]],
    ['crictl', criTools, [payloadFile('crictl')]],
    ['cni-plugins', cniPlugins, [plain('LICENSE'), plain('README.md'), payloadFile('bridge'), payloadFile('loopback')]],
  ];
  return {
    version,
    date: undefined,
    components: ARCHITECTURES.flatMap((architecture) =>
      components.map(([component, own, usual]) => ({
        component,
        architecture,
        version: own,
        files: files[component] ?? usual,
      })),
    ),
  };
}

export interface ComposeCase {
  readonly catalog: Catalog;
  readonly templates: TemplateSet;
  readonly target: Target;
  readonly name: string;
  readonly version: string;
  readonly architecture?: Architecture;
  readonly files?: Partial<Record<Component, readonly PayloadFile[]>>;
  /** Default: none. */
  readonly restart?: Restart;
  readonly kernel?: boolean;
  /** kubelet-confgen; by default placeholder bytes. */
  readonly confgen?: Uint8Array | undefined;
}

const STAND_IN = new TextEncoder().encode('kubelet-confgen');

export function composeCase({
  catalog,
  templates,
  target,
  name,
  version,
  architecture,
  files,
  restart,
  kernel,
  ...rest
}: ComposeCase): Layout {
  return composeLayout({
    catalog,
    templates,
    target,
    name,
    architecture: architecture ?? 'amd64',
    payload: payloadOf(catalog, version, files),
    revision: '1',
    maintainer: 'Example <packages@example.org>',
    date: releaseDate(catalog, version),
    restart: restart ?? 'none',
    kernel,
    confgen: 'confgen' in rest ? rest.confgen : STAND_IN,
  });
}

/** Relations as text: `a (>= 1) | b`. */
export function relationsOf(layout: Layout, kind: RelationKind = 'depends'): string[] {
  return layout.relations[kind].map(formatRelation);
}
