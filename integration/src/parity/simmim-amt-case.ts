import { composeRun, createObjective, definePlugin, IMAGE, type Encoder, type ImageSpec, type Params, type ParamSpecs, type TokenPlan } from '@mimlab/core';
import { affine, attention, constant, gatherRows, gelu, layerNorm, linear, linearParams, normParams, param, patchEmbedParams, patchGrid, patchify, plainParam, positionsOf, repeatToken, scaleColumns, visibleInverse, zeros, type SequenceShape } from '@mimlab/nn';
import { LATENT, simmim, SimMimConfig, TOKENS } from '@mimlab/plugin-simmim';
import { prMim, PrMimConfig } from '@mimlab/pr-mim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { tensorOf, type Golden } from './golden-cases.js';
import { entry, type CaseRun } from './mae-case.js';

/** The `config` of a SimMIM-AMT case; the MLPs are four times as wide as the tokens. */
const AmtCase = z.object({
  img: z.int(),
  patch: z.int(),
  unit: z.int(),
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  init_values: z.number(),
  mask_ratio: z.number(),
  throw_ratio: z.number(),
  mlp_ratio: z.number().default(4),
});
type AmtCase = z.infer<typeof AmtCase>;

export interface SimMimAmtRun extends CaseRun {
  readonly patch: number;
  /** Trainable parameters that the released block uses. */
  readonly used: readonly string[];
}

const P = 'encoder.';

/** A block of the released code: its attention branch has a scale, `gamma_1`, that it never applies. */
function releasedBlock(x: Tensor2D, params: Params, prefix: string, shape: SequenceShape): Tensor2D {
  const queries = param<Tensor1D>(params, `${prefix}.attn.q_bias`);
  const biases = tf.concat([queries, tf.zeros(queries.shape), param<Tensor1D>(params, `${prefix}.attn.v_bias`)]) as Tensor1D;
  const qkv = affine(layerNorm(x, params, `${prefix}.norm1`), param<Tensor2D>(params, `${prefix}.attn.qkv.weight`), biases);
  const attended = tf.add(x, linear(attention(qkv, shape), params, `${prefix}.attn.proj`)) as Tensor2D;
  const hidden = gelu(linear(layerNorm(attended, params, `${prefix}.norm2`), params, `${prefix}.mlp.fc1`));
  return tf.add(attended, scaleColumns(linear(hidden, params, `${prefix}.mlp.fc2`), param<Tensor1D>(params, `${prefix}.gamma_2`)));
}

/** The encoder that AMT took for SimMIM: learned absolute positions, no relative ones. Otherwise it stands where SimMIM's does. */
function releasedEncoder({ patch: side, embed_dim: width, depth, num_heads: heads, mlp_ratio }: AmtCase, image: ImageSpec): Encoder {
  const patch = { height: side, width: side };
  const grid = patchGrid(image, patch);
  const blockParams = (prefix: string): ParamSpecs => ({
    [`${prefix}.gamma_1`]: plainParam([width], constant(1)),
    [`${prefix}.gamma_2`]: plainParam([width], constant(1)),
    ...normParams(`${prefix}.norm1`, width),
    [`${prefix}.attn.q_bias`]: plainParam([width], zeros),
    [`${prefix}.attn.v_bias`]: plainParam([width], zeros),
    [`${prefix}.attn.qkv.weight`]: { shape: [width, 3 * width], trainable: true, init: zeros, layout: { kind: 'linear' } },
    ...linearParams(`${prefix}.attn.proj`, width, width),
    ...normParams(`${prefix}.norm2`, width),
    ...linearParams(`${prefix}.mlp.fc1`, width, width * mlp_ratio),
    ...linearParams(`${prefix}.mlp.fc2`, width * mlp_ratio, width),
  });
  return {
    grid,
    features: { [TOKENS]: { width, cells: 'known', cls: true }, [LATENT]: { width, cells: 'known', cls: true } },
    output: LATENT,
    params: () => ({
      [`${P}cls_token`]: plainParam([1, 1, width], zeros),
      [`${P}pos_embed`]: plainParam([1, 1 + grid.rows * grid.columns, width], zeros),
      [`${P}mask_token`]: plainParam([1, 1, width], zeros),
      ...patchEmbedParams(`${P}patch_embed.proj`, patch, image.channels, width),
      ...(Object.assign({}, ...Array.from({ length: depth }, (_, i) => blockParams(`${P}blocks.${i}`))) as ParamSpecs),
      ...normParams(`${P}norm`, width),
    }),
    encode(images_BHWC, plan, params) {
      const { batch, counts } = plan;
      const visible = linear(gatherRows(patchify(images_BHWC, patch), plan.visibleRows, visibleInverse(plan)), params, `${P}patch_embed.proj`);
      const repeated = (name: string, count: number): Tensor3D => repeatToken(param(params, P + name), batch, count);
      const sequence = tf.concat([repeated('cls_token', 1), tf.reshape(visible, [batch, counts.visible, width]), repeated('mask_token', counts.retained)], 1);
      const placed = tf.add(sequence, positionsOf(params, `${P}pos_embed`, tf.concat([plan.visible_BV, plan.retained_BK], 1), true));
      const shape = { batch, tokens: 1 + counts.visible + counts.retained, heads };
      let x = tf.reshape(placed, [batch * shape.tokens, width]) as Tensor2D;
      for (let i = 0; i < depth; i++) x = releasedBlock(x, params, `${P}blocks.${i}`, shape);
      const whole = (rows: Tensor2D): Tensor3D => tf.reshape(rows, [batch, shape.tokens, width]);
      return { [TOKENS]: whole(x), [LATENT]: whole(layerNorm(x, params, `${P}norm`)) };
    },
    classAttention: () => tf.zeros([1, heads, grid.rows * grid.columns]),
    macs: () => ({}),
  };
}

/** SimMIM with the encoder above, and AMT's masks and throws by whole mask units, partially reconstructed. */
export function simmimAmtRun({ metadata }: Golden): SimMimAmtRun {
  const from = AmtCase.parse(JSON.parse(metadata['config'] ?? '{}'));
  const encoder = definePlugin({
    name: 'released-amt-encoder',
    version: '0.1.0',
    core: '^0.1.0',
    paper: 'none',
    configSchema: z.strictObject({}),
    hooks: () => ({ encoder: (container) => releasedEncoder(from, container.resolve(IMAGE)) }),
  });
  const config = SimMimConfig.parse({ patchSize: from.patch, width: from.embed_dim, depth: from.depth, heads: from.num_heads, maskUnit: from.unit, layerScale: from.init_values });
  const wrap = PrMimConfig.parse({
    sampling: 'amt',
    variant: 'faithful',
    throwUnit: 'mask-unit',
    amtMaskRatio: from.mask_ratio,
    throw: from.throw_ratio,
    reconstruction: 'partial',
    predictTokens: 'sequence',
  });
  const composed = composeRun({
    image: { height: from.img, width: from.img, channels: 3 },
    method: { plugin: simmim, config },
    hooks: { encoder: { plugin: encoder, config: {} } },
    wrap: [{ plugin: prMim, config: wrap }],
  });
  const objective = createObjective(composed);
  const specs = objective.params();
  const trainable = Object.keys(specs).filter((name) => specs[name]?.trainable === true);
  return { objective, specs, trainable, patch: from.patch, used: trainable.filter((name) => !name.endsWith('gamma_1')) };
}

/** The plans that the flags [B, rows, columns] of a case stand for: 1 masked, -1 thrown, 0 visible. */
export function plansFromFlags(golden: Golden, { objective: { grid } }: SimMimAmtRun): TokenPlan[] {
  const flags = tensorOf(golden, 'input.mask_flag');
  return Array.from({ length: flags.shape[0] as number }, (_, b) => {
    const own = [...entry(flags, b).data];
    const cells = (flag: number): Int32Array => Int32Array.from(own.flatMap((value, cell) => (value === flag ? [cell] : [])));
    return { grid, visible: cells(0), retained: cells(1), thrown: cells(-1) };
  });
}
