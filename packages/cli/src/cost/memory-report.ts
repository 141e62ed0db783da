import { composeRun, createObjective, type Objective } from '@mimlab/core';
import type { RunContext } from '../run/run-context.js';
import { withoutWrappers } from './count-cost.js';
import { countMemory, type StepBytes } from './count-memory.js';
import { measureMemory, whyNotMeasured, type MeasuredMemory } from './measure-memory.js';

export interface MemoryOf extends StepBytes {
  readonly measured?: MeasuredMemory;
}

/** Memory of a training step, beside that of the same method without its wrappers. */
export interface MemoryReport {
  readonly precision: string;
  readonly recompute: string;
  readonly wrapped: MemoryOf;
  readonly unwrapped: MemoryOf;
  /** Why no step was run. */
  readonly notMeasured?: string;
}

/** Counts, and runs a step where this machine can, unless `measure` is false. */
export async function memoryReport({ composition, objective, config }: Pick<RunContext, 'composition' | 'objective' | 'config'>, { measure = true } = {}): Promise<MemoryReport> {
  const bare = (composition.wrap ?? []).length === 0 ? objective : createObjective(composeRun(withoutWrappers(composition)));
  const counted = [objective, bare].map((one): [Objective, StepBytes] => [one, countMemory(one, config)]);
  const { precision, recompute } = config.engine;
  const notMeasured = !measure ? 'not asked for' : whyNotMeasured(Math.max(...counted.map(([, { total }]) => total)));
  const known = new Map<Objective, MeasuredMemory>();
  if (notMeasured === undefined) for (const [one] of counted) if (!known.has(one)) known.set(one, await measureMemory(one, config));
  const [wrapped, unwrapped] = counted.map(([one, bytes]): MemoryOf => {
    const measured = known.get(one);
    return measured === undefined ? bytes : { ...bytes, measured };
  }) as [MemoryOf, MemoryOf];
  return { precision, recompute, wrapped, unwrapped, ...(notMeasured === undefined ? {} : { notMeasured }) };
}

const mega = (bytes: number): number => bytes / 1e6;

/** For `--json`: megabytes, and ratios of wrapped to unwrapped. */
export function memoryJson({ precision, recompute, wrapped, unwrapped, notMeasured }: MemoryReport): unknown {
  const inMega = ({ batch: _, parts, torch, measured, ...bytes }: MemoryOf) => ({
    ...eachOf(bytes, mega),
    parts: eachOf(parts, mega),
    torch: { mixed: eachOf({ ...torch.mixed }, mega), fp32: eachOf({ ...torch.fp32 }, mega) },
    ...(measured === undefined ? {} : { measured: eachOf({ ...measured }, mega) }),
  });
  const ratio = (of: (memory: MemoryOf) => number | undefined): number | undefined => quotient(of(wrapped), of(unwrapped));
  return {
    batch: wrapped.batch,
    precision,
    recompute,
    wrapped: inMega(wrapped),
    unwrapped: inMega(unwrapped),
    ratios: {
      kept: ratio(({ kept }) => kept),
      total: ratio(({ total }) => total),
      torchMixedKept: ratio(({ torch }) => torch.mixed.kept),
      torchMixedTotal: ratio(({ torch }) => torch.mixed.total),
      torchFp32Kept: ratio(({ torch }) => torch.fp32.kept),
      torchFp32Total: ratio(({ torch }) => torch.fp32.total),
      measuredStepPeak: ratio(({ measured }) => measured?.stepPeak),
    },
    ...(notMeasured === undefined ? {} : { notMeasured }),
  };
}

const quotient = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined || b === undefined ? undefined : a / b);
const eachOf = (values: Readonly<Record<string, number>>, change: (value: number) => number): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));

/** The report as tables. */
export function memoryTables({ precision, recompute, wrapped, unwrapped, notMeasured }: MemoryReport): string[] {
  const { batch } = wrapped;
  const cell = (bytes: number | undefined): string => (bytes === undefined ? '-' : mega(bytes).toFixed(1)).padStart(11);
  const row = (name: string, of: (memory: MemoryOf) => number | undefined, withRatio = false): string => {
    const ratio = withRatio ? quotient(of(wrapped), of(unwrapped)) : undefined;
    return `${name.padEnd(34)}${cell(of(wrapped))}${cell(of(unwrapped))}${ratio === undefined ? '' : `   ratio ${ratio.toFixed(3)}`}`;
  };
  const names = [...new Set([...Object.keys(wrapped.parts), ...Object.keys(unwrapped.parts)])];
  const images = `${batch} image${batch === 1 ? '' : 's'}`;
  return [
    `Memory of a training step in MB, ${images}, ${precision}, recompute ${recompute}`,
    `${''.padEnd(34)}${'wrapped'.padStart(11)}${'unwrapped'.padStart(11)}`,
    `kept for the backward pass by the compiled step, one image`,
    ...names.map((name) => row(`  ${name === '' ? '(outside any part)' : name}`, ({ parts }) => parts[name])),
    row('  all', ({ kept }) => kept, true),
    row('parameters', ({ parameters }) => parameters),
    ...(wrapped.copies > 0 ? [row('copies in bfloat16', ({ copies }) => copies)] : []),
    row('gradients', ({ gradients }) => gradients),
    row('moments', ({ moments }) => moments),
    ...(wrapped.sums > 0 ? [row('sums of gradients, to accumulate', ({ sums }) => sums)] : []),
    row(`all, ${images}`, ({ total }) => total, true),
    `the same model in PyTorch: blocks by closed formula, the rest as recorded`,
    row('  mixed precision, one image', ({ torch }) => torch.mixed.kept, true),
    row(`  mixed precision, all, ${images}`, ({ torch }) => torch.mixed.total, true),
    row('  fp32, one image', ({ torch }) => torch.fp32.kept, true),
    row(`  fp32, all, ${images}`, ({ torch }) => torch.fp32.total, true),
    ...(notMeasured === undefined
      ? [
          `measured on this machine`,
          row(`  the step's own peak`, ({ measured }) => measured?.stepPeak, true),
          // Whichever is measured second starts from what the first one left behind.
          row(`  resident peak of the process`, (memory) => (memory === wrapped || wrapped.measured === unwrapped.measured ? memory.measured?.residentPeak : undefined)),
        ]
      : [`not measured: ${notMeasured}`]),
  ];
}
