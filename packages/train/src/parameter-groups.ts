import type { ParamSpecs } from '@mimlab/core';
import type { ParamUpdate } from '@mimlab/engine';
import type { TrainConfig } from './config.js';

/** Vectors that stand in for tokens or positions rather than transform them. */
const TOKEN_NAMES = ['cls_token', 'mask_token', 'pos_embed'] as const;

/**
 * Whether weight decay applies to a parameter, unless its method exempts it.
 *
 * - `official` (MAE release, timm's `add_weight_decay`): not with exactly one dimension, nor with a name ending in
 *   `.bias`. Class and mask tokens have three dimensions there and do decay.
 * - `no-tokens` (mmpretrain's custom keys): these tokens and position tables do not decay either.
 */
export function decays(name: string, shape: readonly number[], rule: TrainConfig['decayRule']): boolean {
  if (shape.length === 1 || name.endsWith('.bias')) return false;
  return rule === 'official' || !TOKEN_NAMES.some((token) => name.includes(token));
}

/** How each trainable parameter is updated; frozen ones (position tables, teachers) are in no group. */
export function parameterUpdates(specs: ParamSpecs, config: TrainConfig): Record<string, ParamUpdate> {
  const [beta1, beta2] = config.betas;
  const rule = { kind: 'adamw', beta1, beta2, eps: config.eps } as const;
  const updates: Record<string, ParamUpdate> = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (!spec.trainable) continue;
    updates[name] = { rule, decay: spec.decay !== false && decays(name, spec.shape, config.decayRule) ? config.weightDecay : 0, lrScale: 1 };
  }
  return updates;
}
