import { CompositionError, type NamedHostTensors, type Objective, type PixelStatistics } from '@mimlab/core';
import type { Engine, Step } from '@mimlab/engine';
import { compareGradients, QUANTITIES, type Deviation, type Gradients, type ParameterGroups } from './compare-gradients.js';
import { gradientOutputs, gradientsOf, gradientStep } from './gradient-step.js';
import { layerGroups } from './layer-groups.js';
import { checkSameMasks, drawPlans, pairedInputs, type Draw, type PairedBatch } from './paired-plans.js';

/** A method whose gradient is compared with that of full reconstruction. */
export interface ComparedMethod {
  readonly name: string;
  readonly objective: Objective;
  /** Parameters that only this method has, written before its turn; others stay as the engine holds them. */
  readonly values?: NamedHostTensors;
}

/** Mean over batches and deviation between them (n - 1; 0 for one batch). */
export interface Measured {
  readonly mean: number;
  readonly deviation: number;
}
/** Each quantity of section 7. */
export type MeasuredDeviation = Readonly<Record<keyof Deviation, Measured>>;
/** By layer group. */
export type GroupDeviations = Readonly<Record<string, MeasuredDeviation>>;

export interface MeasureDeviationOptions {
  /** Holds the parameters of every method, at the weights that the gradients are taken at. */
  readonly engine: Engine;
  readonly statistics: PixelStatistics;
  /** The method without its wrapper: its plans retain every masked token. */
  readonly full: Objective;
  readonly methods: readonly ComparedMethod[];
  readonly batches: AsyncIterable<PairedBatch>;
  /** Plans a batch (R), at least 1; bias and spread need 4. */
  readonly plans: number;
  readonly seed: number;
  /** After each batch. */
  readonly report?: (done: number) => void;
}

export interface DeviationResults {
  readonly batches: number;
  readonly methods: Readonly<Record<string, GroupDeviations>>;
  /** Full reconstruction against itself on the same images, with R masks drawn independently. */
  readonly floor: GroupDeviations;
}

/** The name under which the noise floor is measured. */
const FLOOR = ' floor';

/**
 * Gradient deviation (PR-MIM specification, section 7): weights, images, crops and masks are fixed, and the gradient of
 * each method is compared with that of full reconstruction, over R plans a batch. Gradients are those of the encoder and,
 * apart, of the decoder's parameters that full reconstruction has as well.
 * @throws CompositionError if a method is not a wrapped form of `full`, or masks by itself
 */
export async function measureDeviation(options: MeasureDeviationOptions): Promise<DeviationResults> {
  const { engine, statistics, full, methods, batches, plans, seed, report } = options;
  const groups = layerGroups(full.encoder.params(), full.decoder.params());
  const names = [...new Set(Object.values(groups).flat())];
  const steps = new Map([{ name: FLOOR, objective: full }, ...methods].map(({ name, objective }) => [name, engine.compile(gradientStep(objective, statistics, names))]));
  if (steps.size !== methods.length + 1) throw new CompositionError('two methods have one name', { place: methods.map(({ name }) => name).join(', ') });
  const gradientFor = async (method: string, inputs: NamedHostTensors): Promise<Gradients> => gradientsOf(await (steps.get(method) as Step).run(inputs, { outputs: gradientOutputs(names) }), names);

  const measured = new Map<string, Record<string, Deviation>[]>();
  let done = 0;
  try {
    for await (const batch of batches) {
      const draw = (plan: number): Draw => ({ seed, mask: 0, plan });
      const masks = drawPlans(full, batch, draw(0));
      const reference = await gradientFor(FLOOR, pairedInputs(full, batch, masks, seed));
      const overPlans = async (method: string, inputsOf: (plan: number) => NamedHostTensors): Promise<void> => {
        const comparison = compareGradients(reference, groups);
        for (let plan = 0; plan < plans; plan++) comparison.add(await gradientFor(method, inputsOf(plan)));
        measured.set(method, [...(measured.get(method) ?? []), comparison.deviations()]);
      };
      await overPlans(FLOOR, (plan) => pairedInputs(full, batch, drawPlans(full, batch, { seed, mask: plan + 1, plan }), seed));
      for (const { name, objective, values } of methods) {
        if (values !== undefined) await engine.write(values);
        await overPlans(name, (plan) => {
          const drawn = drawPlans(objective, batch, draw(plan));
          checkSameMasks(drawn, masks, name);
          return pairedInputs(objective, batch, drawn, seed);
        });
      }
      done++;
      report?.(done);
    }
  } finally {
    for (const step of steps.values()) step.dispose();
  }
  const over = (method: string): GroupDeviations => overBatches(groups, measured.get(method) ?? []);
  return { batches: done, methods: Object.fromEntries(methods.map(({ name }) => [name, over(name)])), floor: over(FLOOR) };
}

function overBatches(groups: ParameterGroups, batches: readonly Record<string, Deviation>[]): GroupDeviations {
  return Object.fromEntries(
    Object.keys(groups).map((group) => {
      const quantities = QUANTITIES.map((quantity) => [quantity, measuredOver(batches.map((batch) => (batch[group] as Deviation)[quantity]))] as const);
      return [group, Object.fromEntries(quantities) as MeasuredDeviation];
    }),
  );
}

/** Mean and deviation (n - 1) of values. */
export function measuredOver(values: readonly number[]): Measured {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
