import { PluginError, randomStream, sizeOfShape, type CompositionRef, type Crop, type Grid, type HostTargets, type HostTensor, type ImageSpec, type SamplerState } from '@mimlab/core';
import { augmentInto } from '../augment/augment.js';
import type { AugmentSpec, Dataset, LoaderStage, SourceImage } from '../contract.js';
import type { DatasetSource } from '../datasets/dataset-source.js';
import { datasetOf } from '../datasets/open-dataset.js';
import { cachedDataset, type ImageCache } from './image-cache.js';
import { loadHostHooks, makePlans, type HostHooks } from './plan-maker.js';
import { bufferFor, packTensors, type SharedTensors } from './shared-tensors.js';

/** What every thread needs to make batches: plain data on shared memory. */
export interface MakerSetup {
  readonly source: DatasetSource;
  readonly image: ImageSpec;
  readonly augment: AugmentSpec;
  readonly seed: number;
  readonly plans?: CompositionRef;
  readonly grid?: Grid;
  /** Where decoded images are kept. */
  readonly cache?: ImageCache;
}

export interface BatchJob {
  readonly epoch: number;
  readonly index: number;
  readonly sampleIds: Int32Array;
  /** What plans depend on besides. */
  readonly state?: SamplerState;
  /** Images as a whole, without plans and host targets. */
  readonly whole?: true;
}

/** Memory of a batch, used again for later ones. */
export interface BatchSlot {
  readonly images: SharedArrayBuffer;
  readonly extras: SharedArrayBuffer;
}

export interface MadeBatch {
  /** uint8 [B, H, W, C] from the start of its buffer. */
  readonly images: SharedArrayBuffer;
  /** `plan.*` and `host.*`. */
  readonly extras: SharedTensors;
  readonly crops: readonly Crop[];
  readonly seconds: StageSeconds;
}

export type StageSeconds = Readonly<Record<Exclude<LoaderStage, 'wait'>, number>>;

/** Set by whoever no longer wants the batch. */
export interface CancelSignal {
  cancelled: boolean;
}

/** Thrown when a batch was cancelled; never reaches a user. */
export class Cancelled extends Error {}

export interface BatchMaker {
  /**
   * A pure function of the job (and of the setup): which thread makes it, and when, changes nothing.
   * @throws DataError naming the sample; Cancelled.
   */
  make(job: BatchJob, slot: BatchSlot | undefined, signal: CancelSignal): Promise<MadeBatch>;
}

/** Images decoded ahead of the one being augmented; as many as libuv has threads by default. */
const DECODE_AHEAD = 4;

export async function createBatchMaker(setup: MakerSetup): Promise<BatchMaker> {
  const dataset = setup.cache === undefined ? datasetOf(setup.source) : cachedDataset(datasetOf(setup.source), setup.cache);
  const hooks = setup.plans === undefined ? undefined : await loadHostHooks(setup.plans, setup.grid);
  const whole: MakerSetup = { ...setup, augment: { kind: 'whole' } };
  return {
    make: (job, slot, signal) =>
      job.whole === true ? makeBatch(whole, dataset, undefined, job, slot, signal) : makeBatch(setup, dataset, hooks, job, slot, signal),
  };
}

async function makeBatch(
  setup: MakerSetup,
  dataset: Dataset,
  hooks: HostHooks | undefined,
  job: BatchJob,
  slot: BatchSlot | undefined,
  signal: CancelSignal,
): Promise<MadeBatch> {
  const { image: spec, augment, seed } = setup;
  const { epoch, sampleIds } = job;
  const imageSize = sizeOfShape([spec.height, spec.width, spec.channels]);
  const images = bufferFor(sampleIds.length * imageSize, slot?.images);
  const seconds = { read: 0, decode: 0, augment: 0, plan: 0, host: 0 };
  const timed = stopwatch(seconds);
  const crops: Crop[] = [];
  const host = hooks?.hostTargets === undefined ? undefined : stackHostTargets(hooks.hostTargets, sampleIds.length);
  const nextImage = decodeAhead(dataset, sampleIds);
  for (const [place, sampleId] of sampleIds.entries()) {
    if (signal.cancelled) throw new Cancelled();
    timed.start();
    const { source, reading } = await nextImage();
    timed.stop('decode', { read: reading });
    const pixels = new Uint8Array(images, place * imageSize, imageSize);
    crops.push(augmentInto(source, spec, augment, randomStream(seed, 'augment', epoch, sampleId), pixels));
    timed.stop('augment');
    host?.add(place, pixels);
    timed.stop('host');
  }
  timed.start();
  const plans =
    hooks === undefined
      ? {}
      : makePlans(hooks, {
          seed,
          epoch,
          index: job.index,
          image: spec,
          samples: crops.map((crop, place) => ({ crop, sampleId: sampleIds[place] as number })),
          describe: (sampleId) => dataset.describe(sampleId),
          ...(job.state === undefined ? {} : { state: job.state }),
        });
  const extras = packTensors({ ...plans, ...host?.tensors }, slot?.extras);
  timed.stop('plan');
  return { images, extras, crops, seconds };
}

/** Adds up the time since the last mark, for one stage but for the shares of others. */
function stopwatch(seconds: Record<keyof StageSeconds, number>) {
  let mark = 0;
  return {
    start: (): void => {
      mark = performance.now();
    },
    stop: (stage: keyof StageSeconds, shares: Partial<StageSeconds> = {}): void => {
      const now = performance.now();
      const spent = (now - mark) / 1000;
      mark = now;
      seconds[stage] += spent;
      for (const [other, share] of Object.entries(shares) as [keyof StageSeconds, number][]) {
        seconds[other] += share * spent;
        seconds[stage] -= share * spent;
      }
    },
  };
}

interface DecodedImage {
  readonly source: SourceImage;
  /** Share of reading in the time that the image took. */
  readonly reading: number;
}

async function timedImage(dataset: Dataset, sampleId: number): Promise<DecodedImage> {
  const start = performance.now();
  const source = await dataset.image(sampleId);
  const seconds = (performance.now() - start) / 1000;
  return { source, reading: seconds > 0 ? Math.min(1, (source.readSeconds ?? 0) / seconds) : 0 };
}

/** Reads images in order, a few at a time: native decoding goes on while this thread augments. */
function decodeAhead(dataset: Dataset, sampleIds: Int32Array): () => Promise<DecodedImage> {
  const waiting: Promise<DecodedImage>[] = [];
  let next = 0;
  return () => {
    for (; next < sampleIds.length && waiting.length <= DECODE_AHEAD; next++) {
      const image = timedImage(dataset, sampleIds[next] as number);
      // A later image may fail while an earlier one is waited for; its turn reports it.
      image.catch(() => undefined);
      waiting.push(image);
    }
    return waiting.shift() as Promise<DecodedImage>;
  };
}

interface HostStack {
  readonly tensors: Record<string, HostTensor>;
  add(place: number, pixels: Uint8Array): void;
}

function stackHostTargets(targets: HostTargets, batch: number): HostStack {
  const stacks = Object.entries(targets.shapes).map(([name, shape]) => ({ name, shape, data: new Float32Array(batch * sizeOfShape(shape)) }));
  return {
    tensors: Object.fromEntries(stacks.map(({ name, shape, data }) => [`host.${name}`, { shape: [batch, ...shape], dtype: 'float32', data }])),
    add: (place, pixels) => {
      const values = targets.compute(pixels);
      for (const { name, shape, data } of stacks) {
        const computed = values[name];
        const size = sizeOfShape(shape);
        if (computed?.length !== size) {
          throw new PluginError(`computed ${computed?.length ?? 'no'} numbers, its shape [${shape.join(', ')}] has ${size}`, { place: `host target '${name}'`, remedy: 'Report this to the author of the plugin that the target is from.' });
        }
        data.set(computed, place * size);
      }
    },
  };
}
