import type { Step, StepOutcome } from '@mimlab/engine';
import { describe, expect, it, vi } from 'vitest';
import type { RunContext } from '../run/run-context.js';
import type { ExampleStep } from './example-step.js';
import { compareSteps } from './measure-steps.js';

vi.mock('@mimlab/engine', () => ({ profileStep: async (step: Step) => ({ profile: { peakBytes: (step as unknown as { bytes: number }).bytes } }) }));

/** Steps that take a known time on a clock of their own. */
function machine() {
  let now = 0;
  const order: string[] = [];
  const disposed: string[] = [];
  const open = ({ name, seconds }: { name: string; seconds: number }): ExampleStep => ({
    step: {
      bytes: 1000 * seconds,
      run: () => {
        now += seconds;
        order.push(name);
        return Promise.resolve({} as StepOutcome);
      },
    } as unknown as Step,
    inputs: {},
    dispose: () => disposed.push(name),
  });
  const openCase = (one: unknown): Promise<ExampleStep> => Promise.resolve(open(one as { name: string; seconds: number }));
  return { order, disposed, options: { rounds: 2, stretch: 1, clock: () => now, open: openCase } };
}

const stepCase = (name: string, seconds: number): RunContext => ({ objective: { name, seconds }, config: {} }) as unknown as RunContext;

describe('two steps beside each other', () => {
  it('run in turn, each as long at a time', async () => {
    const { order, disposed, options } = machine();
    const compared = await compareSteps(stepCase('a', 0.5), stepCase('b', 0.25), options);
    expect(compared).toEqual({ seconds: [0.5, 0.5], referenceSeconds: [0.25, 0.25], peakBytes: 500, referencePeakBytes: 250 });
    expect(order.slice(6).join('')).toBe('aabbbbaabbbb');
    expect(disposed).toEqual(['a', 'b']);
  });

  it('are one where a step is its own reference', async () => {
    const { disposed, options } = machine();
    const one = stepCase('a', 0.5);
    expect(await compareSteps(one, one, options)).toEqual({ seconds: [0.5, 0.5], referenceSeconds: [0.5, 0.5], peakBytes: 500, referencePeakBytes: 500 });
    expect(disposed).toEqual(['a']);
  });

  it('run once a stretch at least, however slow they are', async () => {
    const { order, options } = machine();
    await compareSteps(stepCase('a', 100), stepCase('b', 100), options);
    expect(order.slice(6).join('')).toBe('abab');
  });

  it('are both given back when one of them fails', async () => {
    const { disposed, options } = machine();
    const open = async (one: unknown): Promise<ExampleStep> => {
      const { name } = one as { name: string };
      if (name === 'b') throw new Error('no memory');
      return options.open(one);
    };
    await expect(compareSteps(stepCase('a', 1), stepCase('b', 1), { ...options, open })).rejects.toThrow('no memory');
    expect(disposed).toEqual(['a']);
  });
});
