import { composeRun, createObjective, fileShape, sizeOfShape } from '@mimlab/core';
import { stateDictOrder } from '@mimlab/nn';
import { fromMmpretrainName, mff, MffConfig, toMmpretrainName } from '@mimlab/plugin-mff';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

/** Names of mmpretrain with their shapes and MAE-style names. */
const StateDict = z.object({
  params: z.int(),
  frozen: z.array(z.string()),
  keys: z.array(z.tuple([z.string(), z.array(z.int()), z.string()])),
});
type StateDict = z.infer<typeof StateDict>;

/** Reads the architecture off the shapes; heads and fused blocks leave no trace but their number. */
function describedModel({ keys }: StateDict) {
  const shapes = new Map(keys.map(([, shape, name]) => [name, shape]));
  const side = (name: string, axis: number): number => shapes.get(name)?.[axis] as number;
  const depthOf = (prefix: string): number => [...shapes.keys()].filter((name) => name.startsWith(`${prefix}.`) && name.endsWith('.norm1.weight')).length;
  const [width = 0, channels = 0, height = 0, breadth = 0] = shapes.get('patch_embed.proj.weight') ?? [];
  const rows = Math.sqrt(side('pos_embed', 1) - 1);
  const depth = depthOf('blocks');
  const levels = side('proj_weights', 0);
  const config = MffConfig.parse({
    patchSize: [height, breadth],
    width,
    depth,
    heads: 1,
    mlpRatio: side('blocks.0.mlp.fc1.weight', 0) / width,
    fuseBlocks: Array.from({ length: levels }, (_, level) => depth - levels + level),
    decoderWidth: side('mask_token', 2),
    decoderDepth: depthOf('decoder_blocks'),
    decoderHeads: 1,
  });
  return { config, image: { height: rows * height, width: rows * breadth, channels } };
}

describeGolden('state-dict', /^mff_.*\.json$/, (cases) => {
  describe.each(cases)('$name', async ({ path }) => {
    const list = StateDict.parse(await loadJson(path));
    const { config, image } = describedModel(list);
    const specs = createObjective(composeRun({ image, method: { plugin: mff, config } })).params();

    it('has the same names and file shapes in the same order', () => {
      const shapes = Object.fromEntries(Object.entries(specs).map(([name, { layout, shape }]) => [toMmpretrainName(name), [...fileShape(layout, shape)]]));
      const ours = stateDictOrder(Object.keys(shapes)).map((name) => [name, shapes[name], fromMmpretrainName(name)]);
      expect(ours).toEqual(list.keys);
    });

    it('freezes the same parameters and has as many numbers', () => {
      const frozen = Object.keys(specs).filter((name) => !specs[name]!.trainable);
      expect(frozen.map(toMmpretrainName).sort()).toEqual([...list.frozen].sort());
      expect(Object.values(specs).reduce((sum, { shape }) => sum + sizeOfShape(shape), 0)).toBe(list.params);
    });
  });
});
