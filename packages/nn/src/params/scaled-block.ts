import type { Initializer, ParamSpecs } from '@mimlab/core';
import { SCALES, type ResidualBranch } from '../layers/vit-block.js';
import { constant, zeros } from './initializers.js';
import { linearParams, mlpWidth, normParams, plainParam } from './specs.js';

/** A learned scale of residual branches: where it starts, and the branches that it is applied to. */
export interface LayerScale {
  readonly start: number;
  readonly on: readonly ResidualBranch[];
}

export interface ScaledBlockOptions {
  readonly width: number;
  readonly mlpRatio: number;
  readonly layerScale: LayerScale | null;
  /** Initial values of the weights, and of those that end a residual branch. */
  readonly weight: Initializer;
  readonly lastWeight: Initializer;
}

/**
 * All parameters of a ViT block in BEiT's manner: queries and values have biases of their own, keys none; with layer scale both
 * branches have one, and one that is not applied does not learn.
 */
export function scaledBlockParams(prefix: string, { width, mlpRatio, layerScale, weight, lastWeight }: ScaledBlockOptions): ParamSpecs {
  const scale = (branch: ResidualBranch): ParamSpecs =>
    layerScale === null ? {} : { [`${prefix}.${SCALES[branch]}`]: { ...plainParam([width], constant(layerScale.start)), trainable: layerScale.on.includes(branch) } };
  const hidden = mlpWidth(width, mlpRatio);
  return {
    ...scale('attention'),
    ...scale('mlp'),
    ...normParams(`${prefix}.norm1`, width),
    [`${prefix}.attn.q_bias`]: plainParam([width], zeros),
    [`${prefix}.attn.v_bias`]: plainParam([width], zeros),
    [`${prefix}.attn.qkv.weight`]: { shape: [width, 3 * width], trainable: true, init: weight, layout: { kind: 'linear' } },
    ...linearParams(`${prefix}.attn.proj`, width, width, { weight: lastWeight }),
    ...normParams(`${prefix}.norm2`, width),
    ...linearParams(`${prefix}.mlp.fc1`, width, hidden, { weight }),
    ...linearParams(`${prefix}.mlp.fc2`, hidden, width, { weight: lastWeight }),
  };
}
