import { fileShape, sizeOfShape } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';
import { runOfShapes } from './simmim-state-dict.js';

const StateDict = z.object({
  config: z.object({ img: z.int() }),
  parameter_count: z.int(),
  trainable: z.int(),
  state_dict: z.record(z.string(), z.object({ shape: z.array(z.int()), kind: z.enum(['param', 'buffer']) })),
});

describeGolden('simmim-greenmim-state-dict', /^simmim-.*\.json$/, (files) => {
  describe.each(files)('$name', async ({ path }) => {
    const { config, parameter_count, trainable, state_dict } = StateDict.parse(await loadJson(path));
    const official = Object.entries(state_dict).filter(([, { kind }]) => kind === 'param');
    const specs = runOfShapes(new Map(official.map(([name, { shape }]) => [name, shape])), config.img).params();

    it('has the same names and file shapes', () => {
      const ours = Object.entries(specs).map(([name, { layout, shape }]) => [name, [...fileShape(layout, shape)]] as const);
      expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(official.map(([name, { shape }]) => [name, shape])));
    });

    it('has as many numbers, trainable and in all', () => {
      const sum = (of: typeof specs): number => Object.values(of).reduce((total, { shape }) => total + sizeOfShape(shape), 0);
      expect(sum(specs)).toBe(parameter_count);
      expect(sum(Object.fromEntries(Object.entries(specs).filter(([, spec]) => spec.trainable)))).toBe(trainable);
    });
  });
});
