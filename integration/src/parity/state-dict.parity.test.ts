import { composeRun, createObjective, fileShape, sizeOfShape } from '@mimlab/core';
import { stateDictOrder } from '@mimlab/nn';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const StateDict = z.object({
  params: z.int(),
  frozen: z.array(z.string()),
  keys: z.array(z.tuple([z.string(), z.array(z.int())])),
});
type StateDict = z.infer<typeof StateDict>;

/** Reads the architecture off the shapes; heads leave no trace in a state dict. */
function describedModel({ keys }: StateDict) {
  const shapes = new Map(keys);
  const side = (name: string, axis: number): number => shapes.get(name)?.[axis] as number;
  const depthOf = (prefix: string): number => keys.filter(([name]) => name.startsWith(`${prefix}.`) && name.endsWith('.norm1.weight')).length;
  const [width = 0, channels = 0, height = 0, breadth = 0] = shapes.get('patch_embed.proj.weight') ?? [];
  const rows = Math.sqrt(side('pos_embed', 1) - 1);
  const config = MaeConfig.parse({
    patchSize: [height, breadth],
    width,
    depth: depthOf('blocks'),
    heads: 1,
    mlpRatio: side('blocks.0.mlp.fc1.weight', 0) / width,
    decoderWidth: side('mask_token', 2),
    decoderDepth: depthOf('decoder_blocks'),
    decoderHeads: 1,
  });
  return { config, image: { height: rows * height, width: rows * breadth, channels } };
}

describeGolden('state-dict', /^mae_.*\.json$/, (cases) => {
  describe.each(cases)('$name', async ({ path }) => {
    const list = StateDict.parse(await loadJson(path));
    const { config, image } = describedModel(list);
    const specs = createObjective(composeRun({ image, method: { plugin: mae, config } })).params();

    it('has the same names and file shapes in the same order', () => {
      const ours = stateDictOrder(Object.keys(specs)).map((name) => [name, [...fileShape(specs[name]!.layout, specs[name]!.shape)]]);
      expect(ours).toEqual(list.keys);
    });

    it('freezes the same parameters and has as many numbers', () => {
      const frozen = Object.keys(specs).filter((name) => !specs[name]!.trainable);
      expect(frozen.sort()).toEqual([...list.frozen].sort());
      expect(Object.values(specs).reduce((sum, { shape }) => sum + sizeOfShape(shape), 0)).toBe(list.params);
    });
  });
});
