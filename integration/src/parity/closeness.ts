import type { HostTensor } from '@mimlab/core';
import { expect } from 'vitest';

type Numbers = ArrayLike<number>;

/** How far two arrays are apart, and where. */
export interface Gap {
  /** Largest absolute difference. */
  readonly absolute: number;
  /** The same over the largest magnitude of the reference. */
  readonly relative: number;
  readonly place: number;
}

/** @param counts which elements to look at; all unless given. */
export function gapBetween(actual: Numbers, reference: Numbers, counts: (index: number) => boolean = () => true): Gap {
  let absolute = 0;
  let place = 0;
  let largest = 0;
  for (let i = 0; i < reference.length; i++) {
    largest = Math.max(largest, Math.abs(reference[i] as number));
    if (!counts(i)) continue;
    const difference = Math.abs((actual[i] as number) - (reference[i] as number));
    // NaN compares false with everything; left alone it would be forgotten at the next element.
    if (Number.isNaN(difference)) return { absolute: Infinity, relative: Infinity, place: i };
    if (difference > absolute) [absolute, place] = [difference, i];
  }
  return { absolute, relative: absolute / (largest || 1), place };
}

/** Expects equal shapes and values within `tolerance` of the reference's largest magnitude. */
export function expectClose(name: string, actual: HostTensor, reference: HostTensor, tolerance: number): void {
  expect(actual.shape, `shape of ${name}`).toEqual(reference.shape);
  const { relative, place } = gapBetween(actual.data, reference.data);
  expect(relative, `${name}: gap relative to the largest entry, worst at element ${place}`).toBeLessThanOrEqual(tolerance);
}

/** Expects values within `tolerance`, absolutely, at the elements that count. */
export function expectNear(name: string, actual: HostTensor, reference: HostTensor, tolerance: number, counts?: (index: number) => boolean): void {
  expect(actual.shape, `shape of ${name}`).toEqual(reference.shape);
  const { absolute, place } = gapBetween(actual.data, reference.data, counts);
  expect(absolute, `${name}: absolute gap, worst at element ${place}`).toBeLessThanOrEqual(tolerance);
}

/** Whether element `index` of an `attn.qkv.bias` belongs to the keys, whose gradient is rounding noise by construction. */
export const isKeyBias = (name: string, length: number, index: number): boolean =>
  name.endsWith('attn.qkv.bias') && index >= length / 3 && index < (2 * length) / 3;
