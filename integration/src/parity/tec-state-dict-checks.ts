import { composeRun, createObjective, fileShape, sizeOfShape } from '@mimlab/core';
import { stateDictOrder } from '@mimlab/nn';
import { tec, TecConfig } from '@mimlab/plugin-tec';
import { parameterUpdates, TrainConfig } from '@mimlab/train';
import { expect, it } from 'vitest';
import { z } from 'zod';

const StateDict = z.object({
  config: z.object({ img: z.int(), patch: z.int(), pred_att: z.boolean(), mlp_token: z.boolean() }),
  parameter_count: z.int(),
  trainable: z.int(),
  state_dict: z.record(z.string(), z.object({ shape: z.array(z.int()), kind: z.enum(['param', 'frozen']), decay: z.boolean().optional() })),
});
type StateDict = z.infer<typeof StateDict>;

/** Reads what the case does not say of the architecture off the shapes; heads leave no trace in a state dict. */
function describedModel({ config: from, state_dict }: StateDict) {
  const side = (name: string, axis: number): number => state_dict[name]?.shape[axis] ?? 0;
  const count = (pattern: RegExp): number => Object.keys(state_dict).filter((name) => pattern.test(name)).length;
  const width = side('cls_token', 2);
  const depth = count(/^blocks\.\d+\.norm1\.weight$/);
  const config = TecConfig.parse({
    teacher: { checkpoint: null, width: side('forward_fea_decoder.decoder_pred.weight', 0), heads: 1 },
    targets: from.pred_att ? 'features-and-attention' : 'feature-only',
    patchSize: from.patch,
    width,
    depth,
    heads: 1,
    mlpRatio: side('blocks.0.mlp.fc1.weight', 0) / width,
    inputAdapter: from.mlp_token,
    adapterBlocks: depth / count(/^encoder_adaptor\.fuse_fcs\.\d+\.weight$/),
    decoderWidth: side('decoder_pos_embed', 2),
    decoderDepth: count(/^decoder_blocks\.\d+\.norm1\.weight$/),
    decoderHeads: 1,
  });
  return { config, image: { height: from.img, width: from.img, channels: side('patch_embed.proj.weight', 1) } };
}

/** The student's parameters against a list of the official model's; the teacher's are guests beside them. */
export function describeTecStateDict(json: unknown): void {
  const list = StateDict.parse(json);
  const { config, image } = describedModel(list);
  const specs = createObjective(composeRun({ image, method: { plugin: tec, config } })).params();
  const own = Object.fromEntries(Object.entries(specs).filter(([name]) => !name.startsWith('teacher.')));
  const numbers = (names: readonly string[]): number => names.reduce((sum, name) => sum + sizeOfShape(own[name]?.shape ?? []), 0);
  const trainable = Object.keys(own).filter((name) => own[name]?.trainable);

  it('has the same names and file shapes in the same order', () => {
    const shapes = Object.fromEntries(Object.entries(own).map(([name, { layout, shape }]) => [name, [...fileShape(layout, shape)]]));
    const ours = stateDictOrder(Object.keys(own)).map((name) => [name, shapes[name]]);
    expect(ours).toEqual(Object.entries(list.state_dict).map(([name, { shape }]) => [name, shape]));
  });

  it('freezes the same parameters and has as many numbers', () => {
    const frozen = Object.keys(list.state_dict).filter((name) => list.state_dict[name]?.kind === 'frozen');
    expect(Object.keys(own).filter((name) => !own[name]?.trainable).sort()).toEqual(frozen.sort());
    expect(numbers(Object.keys(own))).toBe(list.parameter_count);
    expect(numbers(trainable)).toBe(list.trainable);
  });

  it('decays the same parameters, and never moves the teacher', () => {
    const updates = parameterUpdates(specs, TrainConfig.parse({ weightDecay: 0.05, decayRule: 'official' }));
    expect(Object.keys(updates).sort()).toEqual([...trainable].sort());
    for (const [name, { kind, decay }] of Object.entries(list.state_dict)) if (kind === 'param') expect(updates[name]?.decay, name).toBe(decay === true ? 0.05 : 0);
  });
}
