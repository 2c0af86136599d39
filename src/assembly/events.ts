import type { ImageEvent } from '../container/images/prepare-images.ts';
import type { PipelineEvent } from '../pipeline/events.ts';

/** Progress of a build. Image events occur with assembly in containers. */
export type ProgressEvent = PipelineEvent | ImageEvent;

export type OnProgressEvent = (event: ProgressEvent) => void;
