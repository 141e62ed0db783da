import type { MethodPlugin, PlanCounts } from '@mimlab/core';
import type { Settings } from './options.js';

/** What a check works on. */
export interface Examined {
  readonly plugin: MethodPlugin;
  readonly settings: Settings;
}

/** One rule of the contract. `run` throws an error that says what broke it. */
export interface Check {
  /** Reads as a sentence about the plugin. */
  readonly name: string;
  run(examined: Examined): void | Promise<void>;
  /** A reason why the check cannot be made on this machine; absent or undefined: it can. */
  skip?(): string | undefined | Promise<string | undefined>;
}

/** A rule that does not hold. */
export class ConformanceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConformanceError';
  }
}

/** Throws with `message()` unless the rule holds. */
export function ensure(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new ConformanceError(message());
}

/** Largest difference between two arrays, divided by the largest magnitude of the first (or by 1e-12 if that is smaller). */
export function relativeDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) return Infinity;
  let difference = 0;
  let scale = 1e-12;
  for (let i = 0; i < expected.length; i++) {
    const wanted = expected[i] as number;
    const got = actual[i] as number;
    if (Number.isNaN(wanted) || Number.isNaN(got)) return Infinity;
    difference = Math.max(difference, Math.abs(wanted - got));
    scale = Math.max(scale, Math.abs(wanted));
  }
  return difference / scale;
}

/** Every number is finite. */
export function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** `[2, 16, 8]`. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
export const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((side, i) => side === b[i]);

/** In whatever order a sampler writes its counts down. */
export const sameCounts = (a: PlanCounts, b: PlanCounts): boolean =>
  a.visible === b.visible && a.retained === b.retained && a.thrown === b.thrown && (a.repeats ?? false) === (b.repeats ?? false);
