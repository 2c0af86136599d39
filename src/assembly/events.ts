import type { ImageEvent } from '../container/images/prepare-images.ts';
import type { PipelineEvent } from '../pipeline/events.ts';

/** Everything that the progress view and the JSON report show of a build; images are made for assembly in containers. */
export type ProgressEvent = PipelineEvent | ImageEvent;

export type OnProgressEvent = (event: ProgressEvent) => void;
