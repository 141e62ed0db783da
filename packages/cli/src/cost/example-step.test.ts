import { stepInputSpecs, type NamedHostTensors, type Objective } from '@mimlab/core';
import { createEngine, type Engine, type StateSpec, type StepDefinition } from '@mimlab/engine';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunContext } from '../run/run-context.js';
import { tinyRun } from '../run/tiny-run.test-support.js';
import { openExampleStep } from './example-step.js';

vi.mock('@mimlab/engine', async (original) => ({ ...(await original<object>()), createEngine: vi.fn() }));
afterEach(() => {
  vi.mocked(createEngine).mockReset();
});

/** An engine that keeps what it is told, and fails where it is asked to. */
function engineThat({ fails = '' } = {}) {
  const seen = { state: {} as Readonly<Record<string, StateSpec>>, steps: [] as string[], disposed: 0 };
  const engine = {
    define: (state: Readonly<Record<string, StateSpec>>) => {
      if (fails === 'define') return Promise.reject(new Error('no memory'));
      seen.state = state;
      return Promise.resolve();
    },
    compile: ({ name }: StepDefinition) => {
      if (fails === 'compile') throw new Error('no kernel');
      seen.steps.push(name);
      return { name };
    },
    dispose: () => seen.disposed++,
  } as unknown as Engine;
  vi.mocked(createEngine).mockResolvedValue(engine);
  return seen;
}

const open = ({ objective, config }: Pick<RunContext, 'objective' | 'config'>) => openExampleStep(objective, config);
const shapesOf = (inputs: NamedHostTensors): Record<string, readonly number[]> => Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
const wanted = (objective: Objective, batch: number): Record<string, readonly number[]> => Object.fromEntries(Object.entries(stepInputSpecs(objective, batch)).map(([name, { shape }]) => [name, shape]));

describe('a step that is measured', () => {
  it('gets every input that a step of training has, for a batch of images', async () => {
    engineThat();
    const context = await tinyRun('digits');
    const { inputs } = await open(context);
    expect(shapesOf(inputs)).toMatchObject(wanted(context.objective, 4));
    expect(new Set(inputs['images']?.data).size).toBeGreaterThan(10);
    const [first, second] = [inputs['plan.visible']?.data.slice(0, 4), inputs['plan.visible']?.data.slice(4, 8)];
    expect(first).not.toEqual(second);
  });

  it('gets targets that are computed on the host too', async () => {
    engineThat();
    const context = await tinyRun('digits');
    const target = { ...context.objective.target, hostTargets: { shapes: { first: [1] }, compute: (pixels: Uint8Array) => ({ first: Float32Array.of(pixels[0] as number) }) } };
    const { inputs } = await open({ ...context, objective: { ...context.objective, target } });
    const images = inputs['images']?.data as Uint8Array;
    expect(inputs['host.first']).toEqual({ shape: [4, 1], dtype: 'float32', data: Float32Array.of(images[0] as number, images[64] as number, images[128] as number, images[192] as number) });
  });

  it('is the same each time', async () => {
    engineThat();
    const context = await tinyRun('digits');
    expect((await open(context)).inputs).toEqual((await open(context)).inputs);
  });

  it('runs on the compiled graph with every parameter held at one constant', async () => {
    const seen = engineThat();
    const context = await tinyRun('digits');
    await open(context);
    expect(vi.mocked(createEngine)).toHaveBeenCalledWith(expect.objectContaining({ kind: 'graph', precision: 'fp32' }));
    const specs = context.objective.params();
    expect(Object.keys(seen.state).sort()).toEqual(Object.keys(specs).sort());
    for (const [name, { shape, init }] of Object.entries(seen.state)) {
      expect([name, init().length]).toEqual([name, shape.reduce((a, b) => a * b, 1)]);
      expect(init().every((value) => value === Math.fround(0.01))).toBe(true);
    }
    expect(seen.steps).toHaveLength(1);
  });

  it('gives its engine back when it is done with, and when it cannot be made', async () => {
    const seen = engineThat();
    const { dispose } = await open(await tinyRun('digits'));
    expect(seen.disposed).toBe(0);
    dispose();
    expect(seen.disposed).toBe(1);
    for (const fails of ['define', 'compile']) {
      const failing = engineThat({ fails });
      await expect(open(await tinyRun('digits'))).rejects.toThrow(/no (memory|kernel)/);
      expect(failing.disposed).toBe(1);
    }
  });
});
