import { DataError, type SamplerState } from '@mimlab/core';
import type { Dataset, Loader, LoaderBatch, LoaderOptions, LoaderStage } from '../contract.js';
import { datasetOf, readSource } from '../datasets/open-dataset.js';
import type { BatchJob, BatchSlot, MadeBatch, MakerSetup } from './batch-maker.js';
import { batchesPerEpoch, checkSubset, epochOrder, type OrderOptions } from './epoch-order.js';
import { openImageCache } from './image-cache.js';
import { localProducer, type BatchProducer, type PendingBatch } from './producer.js';
import { unpackTensors } from './shared-tensors.js';
import { workerProducer } from './worker-pool.js';

/**
 * Opens the data set, starts the workers and returns the loader.
 * @throws DataError for a data set that cannot be read or options that do not fit it; PluginError, CompositionError,
 * ConfigError if the composition cannot be built in a worker.
 */
export async function createLoader(options: LoaderOptions): Promise<Loader> {
  const source = await readSource(options.data);
  const dataset = datasetOf(source);
  const order = orderOf(options, dataset);
  const { image, augment, seed, plans, grid, workers } = options;
  // Data sets that are read whole lie in memory already.
  const cache = source.kind === 'packed' ? undefined : await openImageCache(dataset, options.cacheBytes ?? 0, options.subset?.[0]);
  const setup: MakerSetup = {
    source, image, augment, seed,
    ...(plans === undefined ? {} : { plans }),
    ...(grid === undefined ? {} : { grid }),
    ...(cache === undefined ? {} : { cache }),
  }; // prettier-ignore
  const producer = workers === 0 ? await localProducer(setup) : await workerProducer(setup, workers);
  return loaderOf(options, dataset, order, producer);
}

function orderOf(options: LoaderOptions, dataset: Dataset): OrderOptions {
  const { batch, workers, prefetch, seed, shuffle, subset } = options;
  for (const [name, value, least] of [['batch', batch, 1], ['workers', workers, 0], ['prefetch', prefetch, 0]] as const) {
    if (!Number.isInteger(value) || value < least) {
      throw new DataError(`${name} is ${value}, expected a whole number from ${least} up`, { place: 'loader', remedy: `Change '${name}'.` });
    }
  }
  if (subset !== undefined) checkSubset(subset, dataset.size);
  const size = subset?.length ?? dataset.size;
  const order = { size, batch, seed, shuffle, subset };
  if (batchesPerEpoch(order) === 0) {
    throw new DataError(`${size} images give no batch of ${batch}`, { place: dataset.name, remedy: 'Lower the batch size, or use more images.' });
  }
  return order;
}

function loaderOf(options: LoaderOptions, dataset: Dataset, order: OrderOptions, producer: BatchProducer): Loader {
  const batches = batchesPerEpoch(order);
  const free: BatchSlot[] = [];
  const ahead = producer.background ? options.prefetch : 0;
  let seconds = noSeconds();

  const receive = (made: MadeBatch, { epoch, index, sampleIds }: BatchJob): LoaderBatch => {
    const { height, width, channels } = options.image;
    const shape = [sampleIds.length, height, width, channels];
    const images = new Uint8Array(made.images, 0, sampleIds.length * height * width * channels);
    let released = false;
    return {
      inputs: { images: { shape, dtype: 'uint8', data: images }, ...unpackTensors(made.extras) },
      labels: sampleIds.map((id) => dataset.label(id)),
      sampleIds,
      crops: made.crops,
      epoch,
      index,
      release: () => {
        if (!released) free.push({ images: made.images, extras: made.extras.buffer });
        released = true;
      },
    };
  };

  /** The batches of `ids` from number `from` on, made in order and ahead of time. */
  async function* batchesOf(ids: Int32Array, from: number, until: number, rest: Omit<BatchJob, 'index' | 'sampleIds'>): AsyncGenerator<LoaderBatch> {
    const jobOf = (index: number): BatchJob => ({ ...rest, index, sampleIds: ids.slice(index * order.batch, (index + 1) * order.batch) });
    const pending: PendingBatch[] = [];
    let next = from;
    // Never more than `ahead` batches beyond the one handed out: a slow consumer holds the workers back.
    const ask = (end: number): void => {
      for (; next < Math.min(end, until); next++) {
        const asked = producer.make(jobOf(next), free.pop());
        asked.result.catch(() => undefined);
        pending.push(asked);
      }
    };
    try {
      for (let index = from; index < until; index++) {
        ask(index + 1);
        const start = performance.now();
        const made = await (pending[0] as PendingBatch).result;
        pending.shift();
        seconds.wait += (performance.now() - start) / 1000;
        for (const [stage, spent] of Object.entries(made.seconds)) seconds[stage as LoaderStage] += spent;
        ask(index + 1 + ahead);
        yield receive(made, jobOf(index));
      }
    } finally {
      for (const { cancel } of pending) cancel();
      for (const result of await Promise.allSettled(pending.map((asked) => asked.result))) {
        if (result.status === 'fulfilled') free.push({ images: result.value.images, extras: result.value.extras.buffer });
      }
    }
  }

  return {
    size: order.size,
    dataset,
    batchesPerEpoch: batches,
    epoch: (epoch, from = 0, state) => {
      if (!Number.isInteger(from) || from < 0 || from > batches) {
        throw new DataError(`there is no batch ${from}`, { place: 'loader', remedy: `An epoch has batches 0 .. ${batches - 1}.` });
      }
      if (state !== undefined) checkState(state, dataset);
      return batchesOf(epochOrder(order, epoch), from, batches, { epoch, ...(state === undefined ? {} : { state }) });
    },
    wholeImages: () => {
      const unshuffled = { ...order, shuffle: false };
      return batchesOf(epochOrder(unshuffled, 0), 0, batchesPerEpoch(unshuffled), { epoch: 0, whole: true });
    },
    timings: () => {
      const spent = seconds;
      seconds = noSeconds();
      return spent;
    },
    close: () => producer.close(),
  };
}

function checkState({ values, width, version }: SamplerState, dataset: Dataset): void {
  if (values.length === dataset.size * width) return;
  throw new DataError(`the state of version ${version} holds ${values.length} numbers, ${width} for each of the ${dataset.size} samples are expected`, {
    place: 'sampler state',
    remedy: 'Use the state that was gathered on this data set.',
  });
}

const noSeconds = (): Record<LoaderStage, number> => ({ read: 0, decode: 0, augment: 0, plan: 0, host: 0, wait: 0 });
