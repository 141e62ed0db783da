import '@tensorflow/tfjs';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, readSafetensors, writeSafetensors, type Encoder, type Objective, type SamplerState } from '@mimlab/core';
import type { Loader, LoaderBatch } from '@mimlab/data';
import { createEagerEngine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idLoader, inTemporaryFolder, learnt, objective as quadratic, quadraticEngine, runConfig, runQuadratic } from '../testing/quadratic-run.js';
import { gatherSamplerState, isStateDue, readSamplerState, samplerStateOf, writeSamplerState } from './sampler-state.js';

type Due = (epoch: number) => boolean;

/** Two heads: the brightness of each of the image's four pixels, and that plus the weight `shift`. */
const classAttention: NonNullable<Encoder['classAttention']> = (images_BHWC, plan, params) => {
  const rows = tf.reshape(images_BHWC, [plan.batch, 1, 4]);
  return tf.concat([rows, tf.add(rows, params['shift'] as tf.Tensor)], 1) as tf.Tensor3D;
};
const encoder = {
  params: () => ({ shift: { shape: [], trainable: true, layout: { kind: 'same' }, init: () => Float32Array.of(0) } }),
  classAttention,
} as unknown as Encoder;

/** Keeps the second head, the last cell first. */
const objectiveFor = (isDueBefore: Due): Objective =>
  ({
    ...quadratic,
    grid: { rows: 2, columns: 2 },
    encoder,
    sampler: { state: { width: () => 4, isDueBefore, fromAttention: (attention: Float32Array, heads: number) => attention.slice(4 * (heads - 1)).reverse() } },
  }) as unknown as Objective;

/** Whole images of three samples in batches of two; sample i has the pixels 10 i, 10 i + 1, ... */
function wholeLoader(released: number[] = []): Loader {
  const batch = (index: number, ids: number[]): LoaderBatch => ({
    inputs: { images: { shape: [ids.length, 2, 2, 1], dtype: 'uint8', data: Uint8Array.from(ids.flatMap((id) => [0, 1, 2, 3].map((p) => 10 * id + p))) } },
    labels: new Int32Array(ids.length),
    sampleIds: Int32Array.from(ids),
    crops: [],
    epoch: 0,
    index,
    release: () => released.push(index),
  });
  return {
    ...idLoader({ size: 3 }),
    async *wholeImages() {
      yield batch(0, [0, 1]);
      yield batch(1, [2]);
    },
  };
}

describe('gathering', () => {
  let engine: Awaited<ReturnType<typeof createEagerEngine>>;
  const gather = (loader: Loader, stopAsked = () => false): Promise<SamplerState | undefined> =>
    gatherSamplerState({ objective: objectiveFor(() => true), engine, loader, statistics: { mean: [0], std: [1 / 255] }, epoch: 7, stopAsked });
  beforeEach(async () => {
    engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
    await engine.define({ shift: { shape: [], init: () => Float32Array.of(100) } });
  });
  afterEach(() => engine.dispose());

  it('asks the encoder about every whole image, the short last batch too', async () => {
    const released: number[] = [];
    const state = await gather(wholeLoader(released));
    expect(state).toMatchObject({ version: 7, width: 4 });
    expect([...(state?.values ?? [])].map(Math.round)).toEqual([103, 102, 101, 100, 113, 112, 111, 110, 123, 122, 121, 120]);
    expect(released).toEqual([0, 1]);
  });

  it('puts the numbers on shared memory, where workers read them as they lie', async () => {
    expect((await gather(wholeLoader()))?.values.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('keeps of images from elsewhere what it keeps of the same images in the data set', async () => {
    const images = { shape: [2, 2, 2, 1], dtype: 'uint8', data: Uint8Array.of(10, 11, 12, 13, 20, 21, 22, 23) } as const;
    const kept = await samplerStateOf({ objective: objectiveFor(() => false), engine, statistics: { mean: [0], std: [1 / 255] } }, images);
    expect(kept.map((numbers) => [...numbers].map(Math.round))).toEqual([
      [113, 112, 111, 110],
      [123, 122, 121, 120],
    ]);
  });

  it('ends early when the run is asked to stop, and gives buffers back', async () => {
    const released: number[] = [];
    expect(await gather(wholeLoader(released), () => true)).toBeUndefined();
    expect(released).toEqual([0]);
  });
});

describe('a state is due', () => {
  const state: SamplerState = { version: 4, width: 1, values: new Float32Array(1) };
  const always = objectiveFor(() => true);

  it('before the first update of the epochs that the sampler names', () => {
    const even = objectiveFor((epoch) => epoch % 2 === 0);
    expect([0, 1, 2, 3].map((epoch) => isStateDue(even, { update: 9, epoch, batch: 0 }, undefined))).toEqual([true, false, true, false]);
  });

  it('never in the middle of an epoch, nor twice', () => {
    expect(isStateDue(always, { update: 9, epoch: 5, batch: 1 }, state)).toBe(false);
    expect(isStateDue(always, { update: 9, epoch: 4, batch: 0 }, state)).toBe(false);
    expect(isStateDue(always, { update: 9, epoch: 5, batch: 0 }, state)).toBe(true);
  });

  it('never for samplers without one', () => expect(isStateDue(quadratic, { update: 0, epoch: 0, batch: 0 }, undefined)).toBe(false));
});

describe('a stored state', () => {
  const state: SamplerState = { version: 41, width: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6) };

  it('comes back as it was', () =>
    inTemporaryFolder(async (folder) => {
      await writeSamplerState(folder, state);
      const read = await readSamplerState(folder, { samplerState: 41 });
      expect({ ...read, values: [...(read?.values ?? [])] }).toEqual({ version: 41, width: 2, values: [1, 2, 3, 4, 5, 6] });
      expect(await readSamplerState(folder, {})).toBeUndefined();
    }));

  it('is refused if it is missing, of another version or something else', () =>
    inTemporaryFolder(async (folder) => {
      await expect(readSamplerState(folder, { samplerState: 41 })).rejects.toThrow(CheckpointError);
      await writeSamplerState(folder, state);
      await expect(readSamplerState(folder, { samplerState: 1 })).rejects.toThrow(/is not version 1 of a sampler's state/);
      await writeSafetensors(join(folder, 'sampler-state.safetensors'), { values: { shape: [2], dtype: 'int32', data: Int32Array.of(1, 2) } }, { version: '41' });
      await expect(readSamplerState(folder, { samplerState: 41 })).rejects.toThrow(CheckpointError);
    }));
});

describe('a run whose sampler follows attention', () => {
  /** An engine that gives attention that depends on the weights, and learns towards what the loader gives. */
  const attendingEngine = (): ReturnType<typeof quadraticEngine> => {
    const engine = quadraticEngine();
    return {
      ...engine,
      compile: (definition) =>
        definition.name === 'attention'
          ? {
              dispose: () => undefined,
              run: async ({ images }) => {
                const { data } = (await engine.read(['head.bias']))['head.bias'] as { data: Float32Array };
                const values = Array.from({ length: images?.shape[0] as number }, (_, b) => [0, 0, 0, 0, b, 2, 3, data[0] as number]).flat();
                return { metrics: {}, outputs: { attention: { shape: [values.length / 8, 2, 4], dtype: 'float32', data: Float32Array.from(values) } } };
              },
            }
          : engine.compile(definition),
    };
  };
  /** A loader whose batches show the state they were made with, as plans do. */
  const showingLoader = (seen: string[] = []): Loader => {
    const inner = idLoader();
    return {
      ...inner,
      async *epoch(epoch, from, state) {
        for await (const batch of inner.epoch(epoch, from)) {
          seen.push(`${epoch}.${batch.index} v${state?.version ?? '-'}`);
          const shown = Float32Array.from(batch.sampleIds, (id) => (state === undefined ? 0 : (state.values[4 * id] as number)));
          yield { ...batch, inputs: { ...batch.inputs, 'plan.shown': { shape: [2], dtype: 'float32', data: shown } } };
        }
      },
      async *wholeImages() {
        const ids = Int32Array.from({ length: 10 }, (_, id) => id);
        yield { inputs: { images: { shape: [10, 1, 1, 1], dtype: 'uint8', data: Uint8Array.from(ids) } }, labels: ids, sampleIds: ids, crops: [], epoch: 0, index: 0, release: () => undefined };
      },
    };
  };
  const dueBefore2 = objectiveFor((epoch) => epoch >= 2);
  const start = (folder: string, options: Parameters<typeof runQuadratic>[1] = {}, seen: string[] = []): ReturnType<typeof runQuadratic> =>
    runQuadratic(join(folder, 'run'), { objective: dueBefore2, engine: attendingEngine(), openLoader: async () => showingLoader(seen), ...options });
  const stopAfter = (updates: number): { signal: AbortSignal; report: (record: { kind: string; update?: number }) => void } => {
    const controller = new AbortController();
    return { signal: controller.signal, report: ({ kind, update }) => (kind === 'update' && update === updates ? controller.abort() : undefined) };
  };

  it('gathers before the epochs that ask for it and gives each epoch the newest', () =>
    inTemporaryFolder(async (folder) => {
      const seen: string[] = [];
      const { records } = await start(folder, {}, seen);
      expect(seen.filter((text) => text.includes('.0'))).toEqual(['0.0 v-', '1.0 v-', '2.0 v2', '3.0 v3']);
      const notices = records.flatMap((record) => (record.kind === 'notice' ? [record.message] : []));
      expect(notices).toEqual([expect.stringContaining('10 whole images gathered before epoch 2'), expect.stringContaining('gathered before epoch 3')]);
    }));

  it.each([4, 10, 12, 15, 17])('ends with the same weights when it is stopped after update %d and resumed', (update) =>
    inTemporaryFolder(async (folder) => {
      const whole = await start(join(folder, 'whole'));
      await start(join(folder, 'parts'), stopAfter(update));
      const seen: string[] = [];
      const resumed = await start(join(folder, 'parts'), { resume: true }, seen);
      expect(resumed.summary.outcome).toBe('finished');
      expect(await learnt(resumed.engine)).toEqual(await learnt(whole.engine));
      expect(seen.at(0)).toBe(`${Math.floor(update / 5)}.${update % 5} v${update < 10 ? '-' : Math.floor(update / 5)}`);
    }),
  );

  it('keeps the state in its checkpoints, and refuses one whose state is damaged', () =>
    inTemporaryFolder(async (folder) => {
      const { summary } = await start(folder, { ...stopAfter(12), config: runConfig({ keepCheckpoints: 1 }) });
      expect(readdirSync(summary.checkpoint)).toContain('sampler-state.safetensors');
      expect((await readSafetensors(join(summary.checkpoint, 'sampler-state.safetensors'))).metadata).toEqual({ version: '2' });
      appendFileSync(join(summary.checkpoint, 'sampler-state.safetensors'), 'x');
      await expect(start(folder, { resume: true, config: runConfig({ keepCheckpoints: 1 }) })).rejects.toThrow('none of the 1 checkpoints is whole');
    }));
});
