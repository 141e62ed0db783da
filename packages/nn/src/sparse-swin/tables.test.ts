import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { orderFromNoise } from '../sampling/random-masking.js';
import { sparseSites } from './sites.js';
import { sparseSwinStages } from './stages.js';
import { sparseTables, tableNames } from './tables.js';

const official = sparseSwinStages({ image: { height: 224, width: 224, channels: 3 }, patch: { height: 4, width: 4 }, width: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 7, mlpRatio: 4 });
const small = sparseSwinStages({ image: { height: 16, width: 16, channels: 3 }, patch: { height: 2, width: 2 }, width: 4, depths: [2, 1], heads: [1, 1], window: 2, mlpRatio: 2 });

const maskOf = (number: number, cells = 49, visible = 12): Int32Array => {
  const random = randomStream('tables', number);
  return orderFromNoise(Float64Array.from({ length: cells }, () => random.uniform())).slice(0, visible).sort();
};
const groupsOf = (tables: Record<string, Int32Array>): number[] =>
  sparseSites(official, 12)
    .filter(({ grouped }) => grouped)
    .map((site) => tables[tableNames(site).slots]!.length / site.window ** 2);

describe('the tables of a mask', () => {
  const units = Int32Array.of(0, 6, 9);
  const tables = sparseTables(small, units, 'released');
  const [site] = sparseSites(small, 3);
  const names = tableNames(site!);

  it('name the visible patches, and find them again', () => {
    const { cells, cellPlaces } = tables as { cells: Int32Array; cellPlaces: Int32Array };
    expect(cells.length).toBe(12);
    expect(cellPlaces.length).toBe(64);
    cells.forEach((cell, place) => expect(cellPlaces[cell]).toBe(place));
    expect(cellPlaces.filter((place) => place === 12).length).toBe(52);
  });

  it('give every token one slot, and empty slots none', () => {
    const slots = tables[names.slots]!;
    const places = tables[names.places]!;
    places.forEach((slot, token) => expect(slots[slot]).toBe(token));
    expect(slots.filter((token) => token === 12).length).toBe(slots.length - 12);
    expect(slots.length % 4).toBe(0);
  });

  it('let tokens of one window see each other at their places, and nobody else', () => {
    const slots = tables[names.slots]!;
    const positions = tables[names.positions]!;
    const pairs = tables[names.pairs]!;
    expect(pairs.length).toBe(slots.length * 4);
    pairs.forEach((pair, at) => {
      const query = Math.floor(at / 4);
      const key = query - (query % 4) + (at % 4);
      if (pair === 16) return;
      expect(pair).toBe(positions[query]! * 4 + positions[key]!);
      expect(Math.max(slots[query]!, slots[key]!)).toBeLessThan(12);
    });
    // Units of 2 x 2 patches fill a window of 2 x 2 each: 3 windows of 16 pairs.
    expect(pairs.filter((pair) => pair < 16).length).toBe(48);
  });

  it('say a position one too large where a slot is empty', () => {
    tables[names.slots]!.forEach((token, slot) => expect(tables[names.positions]![slot] === 4).toBe(token === 12));
  });

  it('have no slots where all tokens are one sequence', () => {
    const last = sparseSites(small, 3).find(({ name }) => name === 'stage1.plain')!;
    expect(last.grouped).toBe(false);
    expect(tables[tableNames(last).slots]).toBeUndefined();
    expect(tables[tableNames(last).pairs]!.length).toBe(9);
  });
});

describe('buckets of groups', () => {
  it('give the official model few kinds of shapes: one for almost all masks', () => {
    const kinds = new Map<string, number>();
    for (let number = 0; number < 200; number++) {
      const kind = groupsOf(sparseTables(official, maskOf(number), 'compact')).join();
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect(kinds.get('20,20,5,5')).toBeGreaterThan(190);
    expect(kinds.size).toBeLessThanOrEqual(2);
  });

  it('go up together at all sites, to as many groups as windows at the most', () => {
    const known = ['20,20,5,5', '24,24,6,6', '32,32,8,8', '48,48,12,12', '64,81,16,25'];
    for (let number = 0; number < 50; number++) expect(known).toContain(groupsOf(sparseTables(official, maskOf(number), 'released')).join());
  });
});

describe('tables of searched groups', () => {
  it('have whole areas of a window for each group, however large', () => {
    for (let number = 0; number < 20; number++) {
      const tables = sparseTables(official, maskOf(number), 'searched');
      for (const site of sparseSites(official, 12).filter(({ grouped }) => grouped)) {
        const names = tableNames(site);
        const slots = tables[names.slots]!;
        const size = tables[names.pairs]!.length / slots.length;
        expect([size % 49, slots.length % size]).toEqual([0, 0]);
        expect(tables[names.positions]!.length).toBe(slots.length);
        tables[names.places]!.forEach((slot, token) => expect(slots[slot]).toBe(token));
      }
    }
  });
});
