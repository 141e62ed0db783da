import { addMacs, cellsOf, type BranchTarget, type Decoder, type Encoder, type ImageSpec, type ParamSpecs, type PlanTensors, type TokenSet } from '@mimlab/core';
import { cellHead, decoderTrunk, layerNorm, restoreRows, scaledHead, tapName, visibleFeature, type DecoderTrunk, type PredictionHead } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { askedOf, type LocalBranch } from './branches.js';

export interface LocalDecoderOptions {
  readonly encoder: Encoder;
  readonly image: ImageSpec;
  readonly branches: readonly LocalBranch[];
  /** What the run's target asks for, by branch. */
  readonly targets: Readonly<Record<string, BranchTarget>>;
  readonly arch: 'vit' | 'swin';
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  /** Cells that the heads of scale 1 and finer work on: those in the loss alone, or the whole grid as in the released code. */
  readonly headTokens: 'scored' | 'grid';
}

/** A branch with everything that is its own. */
interface Site {
  readonly name: string;
  readonly feature: string;
  readonly output: string;
  readonly norm: string;
  readonly width: number;
  readonly trunk: DecoderTrunk;
  readonly head: PredictionHead;
}

/**
 * LocalMIM's decoders: each reads another place of the encoder, has embedding, mask token, positions, blocks and norm of its
 * own, and predicts at its own scale. Behind a ViT all work on the token grid, their heads making finer or coarser
 * predictions; the class token takes part in the blocks and is dropped behind them. Behind a Swin each works at the
 * resolution of its stage, the first with half the width: tokens of a mask unit travel side by side as one token of the
 * plan's grid, always for the whole grid, so nothing can be thrown. Source: official LocalMIM, Decoder of both versions.
 * @throws CompositionError if encoder or target do not fit.
 */
export function localDecoder({ encoder, image, branches, targets, arch, headTokens, ...sizes }: LocalDecoderOptions): Decoder {
  const { grid } = encoder;
  const swin = arch === 'swin';
  const sites = branches.map((branch, place): Site => {
    const { name, scale } = branch;
    const feature = tapName(place, branches.length);
    const { values, output = 'values' } = askedOf(targets, branches, branch, image, grid);
    const spec = visibleFeature(encoder, feature);
    const side = swin ? scale : 1;
    const width = swin && place === 0 ? sizes.width / 2 : sizes.width;
    const own = (inner: string): string => `decoder.${place}.${inner}`;
    const names = { maskToken: own('mask_token'), positions: own('pos_embed'), embed: own('embed'), blocks: own('blocks'), norm: own('norm') };
    const trunk = decoderTrunk({ ...sizes, names, grid, inputs: spec.width / side ** 2, width, cls: spec.cls, side });
    return { name, feature, output, norm: names.norm, width, trunk, head: (swin ? cellHead : scaledHead)({ prefix: own('pred'), scale, width, values, grid, headTokens }) };
  });
  const siteOf = new Map(sites.map((site) => [site.name, site]));

  return {
    branches: sites.map(({ name, trunk, head }) => ({
      ...trunk.branch(name, Object.keys(head.params)),
      cls: false,
      cells: swin ? 'grid' : 'known',
      tokenwise: head.tokenwise,
    })),
    params: () => Object.assign({}, ...sites.map(({ trunk, head }) => ({ ...trunk.params(), ...head.params }))) as ParamSpecs,
    decode: (features, plan, params) =>
      Object.fromEntries(
        sites.map(({ name, feature, trunk }) => {
          const { tokens_BSd, cells } = trunk.decode(features[feature] as Tensor3D, plan, params);
          return [name, swin ? wholeGrid(tokens_BSd, plan) : { tokens_BSd, cells }];
        }),
      ),
    predict(name, { tokens_BSd, cells }, plan, params) {
      const { output, norm, width, head } = siteOf.get(name) as Site;
      const normed = layerNorm(tf.reshape(tokens_BSd, [-1, width]) as Tensor2D, params, norm);
      const predicted = head.predict(normed, cells, plan, params);
      return { values: { [output]: tf.reshape(predicted.rows, [tokens_BSd.shape[0], -1, predicted.rows.shape[1]]) }, cells: predicted.cells };
    },
    decodeMacs: (counts) => addMacs(...sites.map(({ trunk }) => trunk.decodeMacs(counts))),
    predictMacs: (name, tokens) => ({ head: (siteOf.get(name) as Site).head.macs(tokens) }),
  };
}

/** Known tokens at their places on the grid. */
function wholeGrid(tokens_BSd: Tensor3D, { batch, grid, gridRows, knownRows }: PlanTensors): TokenSet {
  const [, tokens, width] = tokens_BSd.shape;
  const rows = restoreRows(tf.reshape(tokens_BSd, [batch * tokens, width]), gridRows, knownRows);
  return { tokens_BSd: tf.reshape(rows, [batch, cellsOf(grid), width]), cells: 'grid' };
}
