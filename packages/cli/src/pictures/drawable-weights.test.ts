import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, saveWeights, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunContext } from '../run/run-context.js';
import { loadDrawableWeights } from './drawable-weights.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-drawable-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const specs = (...names: string[]): ParamSpecs =>
  Object.fromEntries(names.map((name) => [name, { shape: [1], trainable: name !== 'fixed', layout: { kind: 'same' as const }, init: () => Float32Array.of(7) }]));
const MODEL = specs('encoder', 'decoder', 'fixed');
const context = { objective: { params: () => MODEL }, config: { seed: 0 } } as unknown as RunContext;

async function weights(name: string, ...names: string[]): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  await saveWeights(path, Object.fromEntries(names.map((parameter, i) => [parameter, { shape: [1], dtype: 'float32' as const, data: Float32Array.of(i + 1) }])), specs(...names));
  return path;
}

/** Keeps what is written; counts how often state was made. */
function store() {
  const values: Record<string, number> = {};
  let made = 0;
  const engine = {
    stateNames: () => Object.keys(values),
    define: (state: Record<string, { init: () => Float32Array }>) => {
      made++;
      for (const [name, { init }] of Object.entries(state)) values[name] = init()[0] as number;
      return Promise.resolve();
    },
    write: (given: NamedHostTensors) => {
      for (const [name, { data }] of Object.entries(given)) values[name] = data[0] as number;
      return Promise.resolve();
    },
  } as unknown as Engine;
  return { engine, values, made: () => made };
}

describe('weights to draw with', () => {
  it('are written over initial ones, which parameters that are not trained keep', async () => {
    const { engine, values } = store();
    await loadDrawableWeights(engine, await weights('trained', 'encoder', 'decoder'), context);
    expect(values).toEqual({ encoder: 1, decoder: 2, fixed: 7 });
  });

  it('follow each other in one engine', async () => {
    const { engine, values, made } = store();
    await loadDrawableWeights(engine, await weights('first', 'encoder', 'decoder'), context);
    await loadDrawableWeights(engine, await weights('second', 'decoder', 'encoder'), context);
    expect(values).toMatchObject({ encoder: 2, decoder: 1 });
    expect(made()).toBe(1);
  });

  it('are refused without the decoder, saying how many parameters are missing', async () => {
    const { engine, made } = store();
    const error: unknown = await loadDrawableWeights(engine, await weights('encoder', 'encoder', 'fixed'), context).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(/encoder\.safetensors: 1 of 2 trained parameters are not in the file \(decoder\)\n.*needs the decoder/);
    expect(made()).toBe(0);
  });

  it('are refused where they are of a larger model, five of the parameters named', async () => {
    const more = ['encoder', 'decoder', ...[1, 2, 3, 4, 5, 6].map((block) => `block.${block}`)];
    await expect(loadDrawableWeights(store().engine, await weights('large', ...more), context)).rejects.toThrow(
      /the file has 6 parameters that the run's model lacks \(block\.1, block\.2, block\.3, block\.4, block\.5, \.\.\.\)/,
    );
  });
});
