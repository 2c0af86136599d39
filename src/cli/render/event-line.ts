import type { OnProgressEvent, ProgressEvent } from '../../assembly/events.ts';
import type { Artifact } from '../../release/release.ts';
import { plural } from '../../support/plural.ts';
import { humanSize, humanTime } from './table.ts';

/** The line for an event; undefined for events that only move a bar. */
export function eventLine(event: ProgressEvent, started: Map<unknown, number>): string | undefined {
  const seconds = (key: unknown) => humanTime((Date.now() - (started.get(key) ?? Date.now())) / 1000);
  switch (event.kind) {
    case 'found':
      return `release     v${event.version} from ${event.source}`;
    case 'download':
      started.set(artifactName(event.artifact), Date.now());
      return undefined;
    case 'retry':
      return `retry       in ${humanTime(event.delay / 1000)}: ${event.reason} (${event.url})`;
    case 'verified': {
      const name = artifactName(event.artifact);
      return `verified    ${name}, ${humanSize(event.size)}, ${seconds(name)}`;
    }
    case 'planned':
      return `plan        ${plural(event.tasks.length, 'package')}`;
    case 'image-instead':
      return `image       ${event.host}: building locally: ${event.reason}`;
    case 'image-making':
      return `image       ${event.host}: building from ${event.source === 'vendor' ? "the vendor's image" : 'Debian packages'}`;
    case 'image-made':
      return `image       ${event.host}: ready, ${humanTime(event.milliseconds / 1000)}`;
    case 'assembling':
      return `assemble    ${event.target} on ${event.host}: ${event.reason}`;
    case 'packing':
      started.set(event.task, Date.now());
      return undefined;
    case 'packed':
      return `built       ${event.task.file}, ${humanSize(event.size)}, ${seconds(event.task)}`;
    case 'unchanged':
      return `unchanged   ${event.task.file}, ${humanSize(event.size)}`;
    default:
      return undefined;
  }
}

export function artifactName(artifact: Artifact): string {
  return `${artifact.name} ${artifact.version} ${artifact.architecture}`;
}

/** Shows events. */
export interface ProgressView {
  readonly onEvent: OnProgressEvent;
  /** Removes what was shown only temporarily. */
  stop(): void;
}
