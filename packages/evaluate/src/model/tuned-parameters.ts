import type { ParamSpecs } from '@mimlab/core';
import type { ParamUpdate } from '@mimlab/engine';
import { layerDecayScale } from '@mimlab/nn';
import { decays } from '@mimlab/train';
import type { Classifier } from './classifier.js';

/** How many of the last blocks learn; `half`: norm and MLP of the last one. */
export type TunedBlocks = number | 'half' | 'all';

/**
 * The parameters of a classifier with those frozen that partial fine-tuning leaves alone: everything before the tuned
 * blocks, patch embedding, class token and positions included. Final norm and head always learn. A patch merging of Swin
 * goes with the last block of its stage.
 * Source: MAE, section 4.3 (arXiv:2111.06377).
 */
export function tunedParams({ trunk, params }: Pick<Classifier, 'trunk' | 'params'>, tuned: TunedBlocks): ParamSpecs {
  const { blocks, layerOf } = trunk;
  const learns = (name: string): boolean => {
    const layer = layerOf(name);
    if (tuned === 'all' || layer > blocks) return true;
    if (tuned === 'half') return layer === blocks && /\.(norm2|mlp|gamma_2)(\.|$)/.test(name);
    return layer > Math.max(0, blocks - tuned);
  };
  return Object.fromEntries(Object.entries(params()).map(([name, spec]) => [name, { ...spec, trainable: spec.trainable && learns(name) }]));
}

export interface TuningRule {
  readonly weightDecay: number;
  /** The rate of a layer over that of the next one. */
  readonly layerDecay: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
}

/**
 * AdamW of fine-tuning: rates shrink layer by layer towards the input; vectors, class token, positions and Swin's tables of
 * relative positions do not decay.
 * Source: official MAE, util/lr_decay.py; official SimMIM, optimizer.py (specification, section 4.4).
 */
export function tuningUpdates({ trunk }: Pick<Classifier, 'trunk'>, specs: ParamSpecs, { weightDecay, layerDecay, betas, eps }: TuningRule): Record<string, ParamUpdate> {
  const rule = { kind: 'adamw', beta1: betas[0], beta2: betas[1], eps } as const;
  const { blocks, layerOf, cls } = trunk;
  const spared = (name: string): boolean => !cls && name.endsWith('relative_position_bias_table');
  return Object.fromEntries(
    Object.entries(specs)
      .filter(([, { trainable }]) => trainable)
      .map(([name, { shape }]): [string, ParamUpdate] => [
        name,
        { rule, decay: decays(name, shape, 'no-tokens') && !spared(name) ? weightDecay : 0, lrScale: layerDecayScale(layerDecay, blocks, layerOf(name)) },
      ]),
  );
}
