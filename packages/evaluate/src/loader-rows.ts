import { DataError, sizeOfShape, type HostTensor, type NamedHostTensors } from '@mimlab/core';
import type { Loader, LoaderBatch } from '@mimlab/data';
import type { Engine, StepDefinition } from '@mimlab/engine';
import type { Features } from './features.js';

export interface RowReaderOptions {
  /** Holds the state that the step reads. */
  readonly engine: Engine;
  /** Reads `images` and gives, under the name `output`, one row for each image. */
  readonly step: StepDefinition;
  readonly output: string;
  /** Further inputs of a run over so many images. */
  readonly extra?: (batch: number) => NamedHostTensors;
}

/** Rows of images, batch by batch. */
export interface RowReader {
  /** [B, width] of images [B, H, W, C]; smaller batches than one before are filled up: one shape, one compilation. */
  rows(images: HostTensor): Promise<Float32Array>;
  dispose(): void;
}

export function createRowReader({ engine, step: definition, output, extra = () => ({}) }: RowReaderOptions): RowReader {
  const step = engine.compile(definition);
  let inputs: NamedHostTensors = {};
  let held = new Uint8Array(0);
  return {
    async rows(images) {
      const [count, ...shape] = images.shape as [number, ...number[]];
      // The first batch, or one of another loader: a small set of images may come before a large one.
      const grows = images.data.length > held.length;
      if (grows) held = new Uint8Array(images.data.length);
      const size = held.length / sizeOfShape(shape);
      if (grows) inputs = extra(size);
      held.fill(0);
      held.set(images.data as Uint8Array);
      const { outputs } = await step.run({ images: { shape: [size, ...shape], dtype: 'uint8', data: held }, ...inputs }, { outputs: [output] });
      const { shape: given, data } = outputs[output] as HostTensor;
      return (data as Float32Array).slice(0, count * (given[1] as number));
    },
    dispose: () => {
      step.dispose();
    },
  };
}

export function imagesOf(batch: LoaderBatch): HostTensor {
  const images = batch.inputs['images'];
  if (images === undefined) throw new DataError(`the loader gives no 'images'`);
  return images;
}

/** Told after every batch. Throws to stop. */
export type RowProgress = (done: number, total: number) => void;

/**
 * Goes once through a loader that does not shuffle and puts the rows of its batches together.
 * @throws DataError if the loader leaves samples out
 */
export async function collectRows(loader: Loader, rowsOf: (batch: LoaderBatch) => Promise<Float32Array>, progress: RowProgress = () => undefined): Promise<Features> {
  const labels = new Int32Array(loader.size);
  let values = new Float32Array(0);
  let count = 0;
  for await (const batch of loader.epoch(0)) {
    try {
      const rows = await rowsOf(batch);
      const width = rows.length / batch.labels.length;
      if (count === 0) values = new Float32Array(loader.size * width);
      values.set(rows, count * width);
      labels.set(batch.labels, count);
      count += batch.labels.length;
    } finally {
      batch.release();
    }
    progress(count, loader.size);
  }
  if (count !== loader.size) {
    throw new DataError(`the loader gave ${count} of ${loader.size} samples`, { remedy: 'Evaluate with a loader that does not shuffle: that one keeps the last short batch.' });
  }
  return { values, width: count === 0 ? 0 : values.length / count, count, labels };
}

/** Rows of all images of a loader that does not shuffle. */
export async function rowsOfLoader(options: RowReaderOptions & { readonly loader: Loader; readonly progress?: RowProgress }): Promise<Features> {
  const reader = createRowReader(options);
  try {
    return await collectRows(options.loader, (batch) => reader.rows(imagesOf(batch)), options.progress);
  } finally {
    reader.dispose();
  }
}
