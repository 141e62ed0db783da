import { createClassifier, tunedParams, tuningUpdates } from '@mimlab/evaluate';
import { dropPathRates, layerDecayScale } from '@mimlab/nn';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const Group = z.object({
  depth: z.int(),
  layer_decay: z.number(),
  scale_by_layer_id: z.array(z.number()),
  weight_decay: z.number().optional(),
  drop_path_by_block: z.record(z.string(), z.array(z.number())).default({}),
  params: z.record(z.string(), z.object({ layer_id: z.int(), lr_scale: z.number(), weight_decay: z.number() })).default({}),
});
type Group = z.infer<typeof Group>;

/** Groups of the official fine-tuning for a ViT with the parameters of a case; sizes of the layers do not matter. */
function updatesOf({ depth, layer_decay, weight_decay = 0, params }: Group) {
  const classifier = createClassifier({
    architecture: { kind: 'vit', patch: { height: 1, width: 1 }, width: 4, depth, heads: 1, mlpRatio: 1 },
    image: { height: 2, width: 2, channels: 1 },
    classes: 2,
    pool: 'fc_norm.weight' in params ? 'mean' : 'cls',
  });
  const rule = { weightDecay: weight_decay, layerDecay: layer_decay, betas: [0.9, 0.999], eps: 1e-8 } as const;
  return { layerOf: classifier.trunk.layerOf, updates: tuningUpdates(classifier, tunedParams(classifier, 'all'), rule) };
}

describeGolden('layer-decay', /\.json$/, (cases) => {
  describe.each(cases)('$name', ({ path }) => {
    let groups: [string, Group][];
    beforeAll(async () => {
      const json = z.record(z.string(), z.unknown()).parse(await loadJson(path));
      groups = Object.entries(json).flatMap(([name, value]) => (typeof value === 'object' ? [[name, Group.parse(value)] as [string, Group]] : []));
      expect(groups.length).toBeGreaterThan(0);
    });

    it('gives the scale of every layer', () => {
      for (const [name, { depth, layer_decay, scale_by_layer_id }] of groups) {
        expect(scale_by_layer_id, name).toHaveLength(depth + 2);
        scale_by_layer_id.forEach((scale, layer) => expect(layerDecayScale(layer_decay, depth, layer) / scale, `${name}, layer ${layer}`).toBeCloseTo(1, 12));
      }
    });

    it('gives layer, scale and weight decay of every parameter, and knows no other', () => {
      for (const [name, group] of groups.filter(([, { params }]) => Object.keys(params).length > 0)) {
        const { layerOf, updates } = updatesOf(group);
        expect(Object.keys(updates).sort(), name).toEqual(Object.keys(group.params).sort());
        for (const [param, { layer_id, lr_scale, weight_decay }] of Object.entries(group.params)) {
          expect(layerOf(param), `${name}: layer of ${param}`).toBe(layer_id);
          expect(updates[param]?.decay, `${name}: decay of ${param}`).toBe(weight_decay);
          expect((updates[param]?.lrScale ?? NaN) / lr_scale, `${name}: scale of ${param}`).toBeCloseTo(1, 12);
        }
      }
    });

    it('gives the rate of stochastic depth of every block', () => {
      for (const [name, { depth, drop_path_by_block }] of groups) {
        for (const [largest, rates] of Object.entries(drop_path_by_block)) {
          const ours = dropPathRates(Number(largest), depth);
          expect(ours).toHaveLength(rates.length);
          // The official rates were computed in float32.
          rates.forEach((rate, block) => expect(Math.abs((ours[block] as number) - rate), `${name}, ${largest}, block ${block}`).toBeLessThan(1e-7));
        }
      }
    });
  });
});
