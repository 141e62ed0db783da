import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream, sizeOfShape, type Objective, type ParamSpecs } from '@mimlab/core';
import type { Loader, LoaderBatch } from '@mimlab/data';
import { NonFiniteError, type Engine, type HostTensor, type RunOptions, type StepDefinition } from '@mimlab/engine';
import { TrainConfig, type RunConfig } from '../src/config.js';
import { openRunFolder, type RunFolder } from '../src/run-folder.js';
import { pretrain, type PretrainOptions } from '../src/train-loop.js';
import type { PretrainSummary, TrainRecord } from '../src/records.js';

/** Two trainable parameters and a frozen one, each with another file layout. */
export const SPECS: ParamSpecs = {
  'head.weight': { shape: [2, 3], trainable: true, layout: { kind: 'linear' }, init: (shape, random) => Float32Array.from({ length: sizeOfShape(shape) }, () => random.normal()) },
  'head.bias': { shape: [3], trainable: true, layout: { kind: 'same' }, init: () => new Float32Array(3) },
  table: { shape: [2], trainable: false, layout: { kind: 'same' }, init: () => Float32Array.of(1, 2) },
};

/** As much of an objective as the loop itself asks for; its arithmetic is the engine's below. */
export const objective = {
  params: () => SPECS,
  sampler: {},
  target: {},
  pretrained: async () => ({}),
  randomInputs: (batch: number) => ({ noise: { shape: [batch, 2], distribution: 'normal' } }),
} as unknown as Objective;

/** An engine that knows one loss: half the squared distance of all parameters to the mean of the inputs, learnt by AdamW. */
export function quadraticEngine(options: { failAt?: number; description?: string } = {}): Engine & { readonly runs: RunOptions[] } {
  const state = new Map<string, HostTensor>();
  const runs: RunOptions[] = [];
  const values = (name: string): Float32Array => state.get(name)?.data as Float32Array;
  const create = (name: string, shape: readonly number[], data: Float32Array = new Float32Array(sizeOfShape(shape))): void => {
    state.set(name, { shape, dtype: 'float32', data });
  };
  const engine: Engine & { runs: RunOptions[] } = {
    kind: 'eager',
    description: options.description ?? 'quadratic',
    precision: 'fp32',
    runs,
    define: async (specs) => {
      for (const [name, { shape, init }] of Object.entries(specs)) create(name, shape, init());
    },
    compile: (definition: StepDefinition) => {
      const { updates = {}, accumulate = 1 } = definition.optimize ?? {};
      for (const name of Object.keys(updates)) for (const slot of ['adamw.m', 'adamw.v', 'grad']) create(`${slot}/${name}`, SPECS[name]?.shape ?? []);
      return {
        dispose: () => undefined,
        run: async (inputs, run = {}) => {
          runs.push(run);
          const { lr = NaN, update = NaN, phase = 'apply' } = run;
          if (update === options.failAt) throw new NonFiniteError(NaN, Infinity, 'head.weight');
          const all = Object.values(inputs).flatMap(({ data }) => [...data]);
          const goal = all.reduce((sum, value) => sum + value, 0) / all.length;
          let loss = 0;
          let squares = 0;
          for (const [name, { rule, decay }] of Object.entries(updates)) {
            if (rule.kind !== 'adamw') throw new Error(`pre-training updates by AdamW, not ${rule.kind}`);
            const [param, m, v, grad] = [name, `adamw.m/${name}`, `adamw.v/${name}`, `grad/${name}`].map(values) as [Float32Array, Float32Array, Float32Array, Float32Array];
            for (let i = 0; i < param.length; i++) {
              const distance = (param[i] as number) - goal;
              loss += (distance * distance) / 2;
              grad[i] = (grad[i] as number) + distance / accumulate;
              if (phase === 'accumulate') continue;
              const g = grad[i] as number;
              squares += g * g;
              m[i] = rule.beta1 * (m[i] as number) + (1 - rule.beta1) * g;
              v[i] = rule.beta2 * (v[i] as number) + (1 - rule.beta2) * g * g;
              const moved = (m[i] as number) / (1 - rule.beta1 ** update) / (Math.sqrt((v[i] as number) / (1 - rule.beta2 ** update)) + rule.eps);
              param[i] = (param[i] as number) * (1 - lr * decay) - lr * moved;
              grad[i] = 0;
            }
          }
          const scalar = (value: number): HostTensor => ({ shape: [], dtype: 'float32', data: Float32Array.of(value) });
          const outputs: Record<string, HostTensor> = run.outputs?.includes('norms') === true ? { paramNorm: scalar(2), updateNorm: scalar(3) } : {};
          return { metrics: { loss, gradNorm: Math.sqrt(squares), retained: loss / 2 }, outputs };
        },
      };
    },
    stateNames: () => [...state.keys()],
    read: async (names) =>
      Object.fromEntries(
        names.map((name) => {
          const { shape, data } = state.get(name) as HostTensor;
          return [name, { shape, dtype: 'float32' as const, data: Float32Array.from(data) }];
        }),
      ),
    write: async (given) => {
      for (const [name, tensor] of Object.entries(given)) values(name).set(tensor.data as Float32Array);
    },
    dispose: () => state.clear(),
  };
  return engine;
}

/** Batches whose images are the ids of their samples, in an order of the epoch's own. */
export function idLoader(options: { size?: number; batch?: number; seed?: number; endsAt?: number; onBatch?: (batch: LoaderBatch) => void } = {}): Loader & { readonly released: number[] } {
  const { size = 10, batch = 2, seed = 0, endsAt = Infinity, onBatch } = options;
  const batchesPerEpoch = Math.floor(size / batch);
  const released: number[] = [];
  return {
    size,
    dataset: { name: 'ids', size, classes: ['one'], statistics: { mean: [0], std: [1] }, channels: 1, label: () => 0, image: () => Promise.reject(new Error('no images')), describe: (index) => `id ${index}`, fingerprint: async (index) => `id ${index}` },
    batchesPerEpoch,
    released,
    async *epoch(epoch, from = 0) {
      const order = randomStream(seed, 'order', epoch).permutation(size);
      for (let index = from; index < Math.min(batchesPerEpoch, endsAt); index++) {
        const sampleIds = order.slice(index * batch, (index + 1) * batch);
        const made: LoaderBatch = {
          inputs: { images: { shape: [batch, 1, 1, 1], dtype: 'uint8', data: Uint8Array.from(sampleIds) } },
          labels: new Int32Array(batch),
          sampleIds,
          crops: [],
          epoch,
          index,
          release: () => released.push(index),
        };
        onBatch?.(made);
        yield made;
      }
    },
    wholeImages: () => {
      throw new Error('no images');
    },
    timings: () => ({ read: 0, decode: 0, augment: 0, plan: 0, host: 0, wait: 0 }),
    close: async () => undefined,
  };
}

export const runConfig = (train: Partial<TrainConfig> = {}, more: Record<string, unknown> = {}): RunConfig => ({
  seed: 7,
  method: { plugin: 'quadratic' },
  ...more,
  train: TrainConfig.parse({ batch: 2, epochs: 4, warmupEpochs: 1, lr: 0.1, checkpointEvery: 3, logEvery: 2, ...train }),
});

/** A folder that is removed when `use` is done. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mimlab-train-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run from opening its folder to releasing it. */
export async function runQuadratic(path: string, options: Partial<PretrainOptions> & { resume?: boolean } = {}): Promise<{ summary: PretrainSummary; records: TrainRecord[]; engine: Engine }> {
  const { resume = false, ...given } = options;
  const records: TrainRecord[] = [];
  const engine = given.engine ?? quadraticEngine();
  const runFolder: RunFolder = await openRunFolder({ path, resume, configText: 'seed: 7\n' });
  try {
    const summary = await pretrain({
      config: runConfig(),
      objective,
      openLoader: async () => idLoader(),
      report: (record) => records.push(record),
      ...given,
      engine,
      runFolder,
    });
    return { summary, records, engine };
  } finally {
    await runFolder.release();
  }
}

/** Weights and optimizer state, by name. */
export async function learnt(engine: Engine): Promise<Record<string, number[]>> {
  const names = engine.stateNames().filter((name) => !name.startsWith('grad/'));
  return Object.fromEntries(Object.entries(await engine.read(names)).map(([name, { data }]) => [name, [...data]]));
}
