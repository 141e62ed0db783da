import type { Step } from '@mimlab/engine';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Objective } from '@mimlab/core';
import { openExampleStep } from './example-step.js';
import { measureMemory, whyNotMeasured } from './measure-memory.js';

const log: string[] = [];
const engine = vi.hoisted(() => ({ findTensorflow: vi.fn() }));
vi.mock('@mimlab/engine', () => ({
  findTensorflow: engine.findTensorflow,
  profileStep: (_: unknown, __: unknown, { update }: { update: number }) => {
    log.push(`profile ${update}`);
    return Promise.resolve({ profile: { peakBytes: 3e6 } });
  },
  resetResidentPeak: () => log.push('reset'),
  residentPeak: () => {
    log.push('peak');
    return 9e6;
  },
}));
vi.mock('./example-step.js', () => ({ openExampleStep: vi.fn() }));

beforeEach(() => {
  log.length = 0;
  engine.findTensorflow.mockReturnValue({ library: 'libtensorflow' });
});
afterEach(() => {
  vi.mocked(openExampleStep).mockReset();
});

function steps({ failAt }: { failAt?: number } = {}): void {
  const step = {
    run: (_: unknown, { update }: { update: number }) => {
      log.push(`run ${update}`);
      return update === failAt ? Promise.reject(new Error('no memory')) : Promise.resolve({});
    },
  } as unknown as Step;
  vi.mocked(openExampleStep).mockResolvedValue({ step, inputs: {}, dispose: () => log.push('dispose') });
}
const measure = () => measureMemory({} as Objective, {} as Parameters<typeof measureMemory>[1]);

describe('the memory of a step', () => {
  it('is watched once the step is compiled, and traced apart from that', async () => {
    steps();
    expect(await measure()).toEqual({ stepPeak: 3e6, residentPeak: 9e6 });
    expect(log).toEqual(['run 1', 'reset', 'run 2', 'peak', 'profile 3', 'dispose']);
  });

  it('is given back when a step fails', async () => {
    steps({ failAt: 2 });
    await expect(measure()).rejects.toThrow('no memory');
    expect(log.at(-1)).toBe('dispose');
  });
});

describe('a step that is not measured', () => {
  it('would not fit, with what libraries and executor need besides', () => {
    expect(whyNotMeasured(8.5e9, 10e9)).toBeUndefined();
    expect(whyNotMeasured(8.6e9, 10e9)).toBe('the step needs about 10.1 GB, 10.0 GB are free; --set train.batch=N makes it smaller');
  });

  it('has no TensorFlow to run on, however small it is', () => {
    engine.findTensorflow.mockReturnValue(undefined);
    expect(whyNotMeasured(1, 10e9)).toBe(`no libtensorflow was found; 'npm run setup' gets it`);
  });
});
