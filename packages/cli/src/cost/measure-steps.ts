import type { Objective } from '@mimlab/core';
import { profileStep } from '@mimlab/engine';
import type { MimlabConfig } from '../run/run-context.js';
import { openExampleStep, type ExampleStep } from './example-step.js';

/** A step that is measured. */
export interface StepCase {
  readonly objective: Objective;
  readonly config: Pick<MimlabConfig, 'engine' | 'train'>;
}

/** Two steps beside each other. */
export interface ComparedSteps {
  /** Seconds of a step, one figure a round. */
  readonly seconds: readonly number[];
  readonly referenceSeconds: readonly number[];
  /** Most bytes that the step's own allocations held at once. */
  readonly peakBytes: number;
  readonly referencePeakBytes: number;
}

/** Seconds that one side runs at a time. */
const STRETCH = 0.4;
const ROUNDS = 7;

/**
 * Runs a step and its reference in turn, stretch by stretch, so that a machine that slows down slows both down; ratios are to be
 * taken round by round. A step that is its own reference is measured once.
 * @param clock seconds of a clock that never goes back
 */
export async function compareSteps(one: StepCase, reference: StepCase, { rounds = ROUNDS, stretch = STRETCH, clock = () => performance.now() / 1000, open = openExampleStep } = {}): Promise<ComparedSteps> {
  const opened: ExampleStep[] = [];
  try {
    const first = await open(one.objective, one.config);
    opened.push(first);
    const second = one === reference ? first : await open(reference.objective, reference.config);
    if (second !== first) opened.push(second);
    let update = 0;
    const run = async ({ step, inputs }: ExampleStep, times: number): Promise<number> => {
      const began = clock();
      for (let i = 0; i < times; i++) await step.run(inputs, { lr: 0, update: ++update });
      return (clock() - began) / times;
    };
    const peakOf = async ({ step, inputs }: ExampleStep): Promise<number> => (await profileStep(step, inputs, { lr: 0, update: ++update })).profile.peakBytes;
    const peaks = new Map<ExampleStep, number>();
    const times = new Map<ExampleStep, number>();
    for (const example of opened) {
      await run(example, 1);
      times.set(example, Math.max(1, Math.round(stretch / (await run(example, 2)))));
      peaks.set(example, await peakOf(example));
    }
    const rows = new Map<ExampleStep, number[]>(opened.map((example) => [example, []]));
    for (let round = 0; round < rounds; round++) for (const example of opened) rows.get(example)?.push(await run(example, times.get(example) as number));
    return {
      seconds: rows.get(first) as number[],
      referenceSeconds: rows.get(second) as number[],
      peakBytes: peaks.get(first) as number,
      referencePeakBytes: peaks.get(second) as number,
    };
  } finally {
    for (const { dispose } of opened) dispose();
  }
}
