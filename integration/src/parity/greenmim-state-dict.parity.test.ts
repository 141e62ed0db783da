import { composeRun, createObjective, fileShape, sizeOfShape, type ParamSpec } from '@mimlab/core';
import { stateDictOrder } from '@mimlab/nn';
import { greenmim, GreenMimConfig } from '@mimlab/plugin-greenmim';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const StateDict = z.object({
  config: z.object({ img: z.int(), window: z.int() }),
  parameter_count: z.int(),
  trainable: z.int(),
  state_dict: z.record(z.string(), z.object({ shape: z.array(z.int()), kind: z.string(), frozen: z.boolean().default(false) })),
});
type StateDict = z.infer<typeof StateDict>;

/** Reads the architecture off the shapes; the decoder's heads leave no trace in a state dict. */
function describedModel({ config: { img, window }, state_dict: keys }: StateDict) {
  const side = (name: string, axis: number): number => keys[name]?.shape[axis] as number;
  const countOf = (pattern: RegExp): number => new Set(Object.keys(keys).flatMap((name) => pattern.exec(name)?.[1] ?? [])).size;
  const stages = countOf(/^encoder\.layers\.(\d+)\./);
  const perStage = <T>(make: (stage: number) => T): T[] => Array.from({ length: stages }, (_, stage) => make(stage));
  const width = side('encoder.patch_embed.proj.weight', 0);
  const config = GreenMimConfig.parse({
    patchSize: side('encoder.patch_embed.proj.weight', 2),
    width,
    depths: perStage((stage) => countOf(new RegExp(`^encoder\\.layers\\.${stage}\\.blocks\\.(\\d+)\\.`))),
    heads: perStage((stage) => side(`encoder.layers.${stage}.blocks.0.attn.relative_position_bias_table`, 1)),
    window,
    mlpRatio: side('encoder.layers.0.blocks.0.mlp.fc1.weight', 0) / width,
    decoderWidth: side('mask_token', 2),
    decoderDepth: countOf(/^decoder_blocks\.(\d+)\./),
    decoderHeads: 1,
  });
  return { config, image: { height: img, width: img, channels: side('encoder.patch_embed.proj.weight', 1) } };
}

describeGolden('simmim-greenmim-state-dict', /^greenmim-.*\.json$/, (cases) => {
  describe.each(cases)('$name', async ({ path }) => {
    const list = StateDict.parse(await loadJson(path));
    const { config, image } = describedModel(list);
    const specs = createObjective(composeRun({ image, method: { plugin: greenmim, config } })).params();
    // Relative position indices follow from the window; nothing stores them here, and loading passes over them.
    const listed = Object.entries(list.state_dict).filter(([, { kind }]) => kind === 'param');
    const sizeOf = (entries: readonly ParamSpec[]): number => entries.reduce((sum, { shape }) => sum + sizeOfShape(shape), 0);

    it('has the same names and file shapes in the same order', () => {
      const ours = stateDictOrder(Object.keys(specs)).map((name) => [name, [...fileShape(specs[name]!.layout, specs[name]!.shape)]]);
      expect(ours).toEqual(listed.map(([name, { shape }]) => [name, shape]));
    });

    it('freezes the same parameters and has as many numbers', () => {
      const all = Object.values(specs);
      expect(Object.keys(specs).filter((name) => !specs[name]!.trainable)).toEqual(listed.filter(([, { frozen }]) => frozen).map(([name]) => name));
      expect([sizeOf(all), sizeOf(all.filter(({ trainable }) => trainable))]).toEqual([list.parameter_count, list.trainable]);
    });
  });
});
