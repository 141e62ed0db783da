import { cellsOf, ConfigError, type Params, type Prediction, type Target } from '@mimlab/core';
import { atCells, checkSameGrid, frozenVit, linearMacs, patchGrid, patchValues, scoredMean, squaredError, standardized, vitMacs, type FrozenVitOptions } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { attentionLoss, attentionTargets } from './attention.js';
import { ATTENTION, FEATURE, FEATURES } from './decoder.js';

/** Prefix of the teacher's parameters among those of the run. */
export const TEACHER = 'teacher.';

export interface TeacherOptions extends Omit<FrozenVitOptions, 'prefix'> {
  /** Blocks from the end whose outputs are averaged. */
  readonly lastLayers: number;
}

export interface TecTargetOptions {
  readonly teacher: TeacherOptions;
  /** Whether attention is reconstructed beside the features. */
  readonly attention: boolean;
  readonly topK: number;
  readonly temperature: number;
}

/**
 * The teacher's view of whole images: the mean of the last `lastLayers` blocks' raw outputs, and, `withAttention`, queries
 * and keys of the last block.
 * @returns features and queries and keys of class token and patches, side by side: [B, 1 + N, Ct or 3 * Ct]
 */
export const teacherTokens = (images_BHWC: Tensor4D, params: Params, { lastLayers, ...teacher }: TeacherOptions, withAttention: boolean): Tensor3D =>
  frozenVit({ ...teacher, prefix: TEACHER }).look(images_BHWC, params, ({ outputs_MD, qkv_M3D }) => {
    const averaged = outputs_MD.slice(-lastLayers);
    const features = tf.div(averaged.reduce((sum, output) => tf.add(sum, output)), averaged.length) as Tensor2D;
    return withAttention ? tf.concat([features, tf.slice(qkv_M3D, [0, 0], [features.shape[0], 2 * teacher.width])], 1) : features;
  });

/**
 * TEC's target: features of a frozen teacher, squared error on scored tokens, and its attention, cross-entropy over
 * class token and most attended patches. Source: official TEC. Branch `feature`, values `features` [B, N, Ct],
 * each channel standardised over all N tokens; branch `attention`, see `attentionTargets`.
 * @throws ConfigError if the teacher's grid is not the student's, or has fewer patches than `topK`.
 */
export function tecTarget({ teacher, attention, topK, temperature }: TecTargetOptions): Target {
  const own = patchGrid(teacher.image, teacher.patch);
  const cells = cellsOf(own);
  const frozen = frozenVit({ ...teacher, prefix: TEACHER });
  const { width, heads } = teacher;
  if (attention && topK > cells) {
    throw new ConfigError(`the ${topK} most attended of ${cells} patches are asked for`, { place: 'topK', remedy: `Choose at most ${cells}.` });
  }
  return {
    spec(grid) {
      checkSameGrid(own, grid, "the teacher's");
      return {
        [FEATURE]: { values: width, scale: 1, loss: 'mse', output: FEATURES },
        ...(attention ? { [ATTENTION]: { values: 2 * width, scale: 1, loss: 'cross-entropy' } } : {}),
      };
    },
    params: () => frozen.params(),
    pretrained: () => frozen.pretrained(),
    targets(images_BHWC, _plan, params) {
      const tokens = teacherTokens(images_BHWC, params, teacher, attention);
      const [batch] = tokens.shape;
      const third = (place: number, first: number): Tensor3D => tf.slice(tokens, [0, first, place * width], [batch, 1 + cells - first, width]);
      return {
        [FEATURE]: { [FEATURES]: standardized(third(0, 1)) },
        ...(attention ? { [ATTENTION]: attentionTargets(third(1, 0), third(2, 0), heads, topK) } : {}),
      };
    },
    loss(predictions, targets, plan, scored_BN) {
      const { values, cells: given } = predictions[FEATURE] as Prediction;
      const target = atCells(targets[FEATURE]?.[FEATURES] as Tensor, plan, given);
      const feature = scoredMean(squaredError(values[FEATURES] as Tensor, target), given, scored_BN, plan);
      if (!attention) return feature;
      const rows = attentionLoss(predictions[ATTENTION] as Prediction, targets[ATTENTION] ?? {}, plan, { heads, temperature });
      return { loss: tf.add(feature.loss, rows), parts: { ...feature.parts, [FEATURE]: feature.loss, [ATTENTION]: rows } };
    },
    macs(predicted) {
      const rows = attention ? 1 + topK : 0;
      const size = { cells, patchValues: patchValues(teacher.patch, teacher.image.channels), width, depth: teacher.depth, mlpRatio: teacher.mlpRatio };
      return {
        target: vitMacs(size, 1 + cells) + linearMacs(cells, width, rows),
        // The student's scores: every row with all keys but the class token's.
        ...(attention ? { head: linearMacs((predicted[ATTENTION] ?? 1) - 1, width, rows) } : {}),
      };
    },
  };
}
