import type { Component } from '../model/component.ts';
import type { ComponentPayload, Payload, PayloadFile } from '../model/payload.ts';
import type { Artifact, Release } from '../release/release.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { ExaminedArtifact } from './artifact-index.ts';

interface Fetched {
  readonly artifact: Artifact;
  readonly examined: ExaminedArtifact;
}

/** The file that a component is there for; the CNI plugins are many. */
const PROGRAMS: Readonly<Partial<Record<Component, string>>> = {
  kubeadm: 'kubeadm',
  kubelet: 'kubelet',
  kubectl: 'kubectl',
  crictl: 'crictl',
};

/**
 * Puts the files of all artifacts together, by component and architecture.
 *
 * @throws KubeparcelError of kind 'format' for a component that lacks its program or has a file twice
 */
export function assemblePayload(release: Release, fetched: readonly Fetched[]): Payload {
  const groups = new Map<string, { readonly artifact: Artifact; readonly files: PayloadFile[] }>();
  for (const { artifact, examined } of fetched) {
    const key = `${artifact.component} ${artifact.architecture}`;
    const group = groups.get(key) ?? { artifact, files: [] };
    group.files.push(...examined.files);
    groups.set(key, group);
  }
  return {
    version: release.version,
    date: release.date,
    components: [...groups.values()].map(({ artifact, files }) => componentPayload(artifact, files)),
  };
}

function componentPayload(artifact: Artifact, files: readonly PayloadFile[]): ComponentPayload {
  const { component, architecture, version } = artifact;
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const twice = sorted.find((file, i) => sorted[i + 1]?.name === file.name);
  if (twice !== undefined) {
    throw new KubeparcelError('format', `${component} for ${architecture} has ${twice.name} twice`, {
      where: artifact.url,
    });
  }
  const program = PROGRAMS[component];
  if (!sorted.some((file) => file.executable && (program === undefined || file.name === program))) {
    throw new KubeparcelError('format', `${component} for ${architecture} has no ${program ?? 'program'} in it`, {
      where: artifact.url,
    });
  }
  return { component, architecture, version, files: sorted };
}
