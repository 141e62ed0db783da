import type { Grid, Initializer, ParamSpec, ParamSpecs } from '@mimlab/core';
import { cellsOf } from '@mimlab/core';
import type { PatchSize } from '../images/patchify.js';
import { sincosPositions, type PositionLayout } from '../positions/sincos.js';
import { normal, ones, torchUniform, xavierUniform, zeros } from './initializers.js';

/** A trainable parameter that files store as it lies in memory. */
export const plainParam = (shape: readonly number[], init: Initializer): ParamSpec => ({ shape, trainable: true, init, layout: { kind: 'same' } });

/** Parameters of which weight decay spares some. */
export const sparing = (specs: ParamSpecs, isSpared: (name: string) => boolean): ParamSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, isSpared(name) ? { ...spec, decay: false as const } : spec]));

/** Whether a name is that of a table of relative positions or a learned token, which the released sparse Swins spare. */
export const isTableOrToken = (name: string): boolean => /position_bias|token/.test(name);

export interface LinearInit {
  readonly weight?: Initializer;
  readonly bias?: Initializer;
}

/** `PREFIX.weight` [in, out] and `PREFIX.bias` [out]. Default: Xavier uniform and zeros (official MAE). */
export const linearParams = (prefix: string, inputs: number, outputs: number, init: LinearInit = {}): ParamSpecs => ({
  [`${prefix}.weight`]: { shape: [inputs, outputs], trainable: true, init: init.weight ?? xavierUniform, layout: { kind: 'linear' } },
  [`${prefix}.bias`]: plainParam([outputs], init.bias ?? zeros),
});

/** `PREFIX.fc1` to the hidden width and `PREFIX.fc2` back, as `mlp` takes them. */
export const mlpParams = (prefix: string, width: number, hidden: number, init: LinearInit = {}): ParamSpecs => ({
  ...linearParams(`${prefix}.fc1`, width, hidden, init),
  ...linearParams(`${prefix}.fc2`, hidden, width, init),
});

/** Gain `PREFIX.weight` of ones and offset `PREFIX.bias` of zeros, both [width]. */
export const normParams = (prefix: string, width: number): ParamSpecs => ({
  [`${prefix}.weight`]: plainParam([width], ones),
  [`${prefix}.bias`]: plainParam([width], zeros),
});

/** Hidden width of a block's MLP. */
export const mlpWidth = (width: number, mlpRatio: number): number => Math.floor(width * mlpRatio);

/** All parameters of one pre-norm ViT block, official names in official order. */
export const vitBlockParams = (prefix: string, width: number, mlpRatio: number, init: LinearInit = {}): ParamSpecs => ({
  ...normParams(`${prefix}.norm1`, width),
  ...linearParams(`${prefix}.attn.qkv`, width, 3 * width, init),
  ...linearParams(`${prefix}.attn.proj`, width, width, init),
  ...normParams(`${prefix}.norm2`, width),
  ...mlpParams(`${prefix}.mlp`, width, mlpWidth(width, mlpRatio), init),
});

/** `PREFIX.0` to `PREFIX.(depth - 1)`. */
export const vitBlocksParams = (prefix: string, depth: number, width: number, mlpRatio: number, init: LinearInit = {}): ParamSpecs =>
  Object.assign({}, ...Array.from({ length: depth }, (_, i) => vitBlockParams(`${prefix}.${i}`, width, mlpRatio, init))) as ParamSpecs;

/**
 * `PREFIX.weight` [p*q*C, D] and `PREFIX.bias` [D]; files hold the weight as the convolution kernel [D, C, p, q].
 * Default: the weight is Xavier uniform as a matrix; the bias keeps PyTorch's convolution default, which the official MAE does
 * not reset (mae-mff specification, section 2).
 */
export function patchEmbedParams(prefix: string, patch: PatchSize, channels: number, width: number, init: LinearInit = {}): ParamSpecs {
  const fanIn = patch.height * patch.width * channels;
  return {
    [`${prefix}.weight`]: {
      shape: [fanIn, width],
      trainable: true,
      init: init.weight ?? xavierUniform,
      layout: { kind: 'patch', patch: [patch.height, patch.width], channels },
    },
    [`${prefix}.bias`]: plainParam([width], init.bias ?? torchUniform(fanIn)),
  };
}

/** A learned token [1, 1, width], normal(0, 0.02). */
export const tokenParam = (width: number): ParamSpec => plainParam([1, 1, width], normal(0.02));

/** The fixed sine-cosine table [1, (1 +) N, width]; a class token's row is zero and comes first. */
export function positionParam(width: number, grid: Grid, options: { readonly cls: boolean; readonly layout?: PositionLayout }): ParamSpec {
  const front = options.cls ? 1 : 0;
  return {
    shape: [1, front + cellsOf(grid), width],
    trainable: false,
    init: () => sincosPositions(width, grid, options),
    layout: { kind: 'same' },
  };
}
