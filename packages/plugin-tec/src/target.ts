import { cellsOf, ConfigError, type Grid, type Prediction, type Target } from '@mimlab/core';
import { atCells, linearMacs, patchGrid, patchValues, scoredMean, squaredError, vitMacs } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { attentionLoss, attentionTargets } from './attention.js';
import { ATTENTION, FEATURE, FEATURES } from './decoder.js';
import { loadTeacher, teacherParams, teacherTokens, type TeacherOptions } from './teacher.js';

export interface TecTargetOptions {
  readonly teacher: TeacherOptions;
  /** Whether attention is reconstructed beside the features. */
  readonly attention: boolean;
  readonly topK: number;
  readonly temperature: number;
}

/**
 * Standardises every channel of an image over its N tokens: (t - mean) / sqrt(var + 1e-6), the variance unbiased.
 * @param features_BNC [B, N, Ct]
 */
export function standardizeOverTokens(features_BNC: Tensor3D): Tensor3D {
  const centred = tf.sub(features_BNC, tf.mean(features_BNC, 1, true));
  const variance = tf.div(tf.sum(tf.square(centred), 1, true), features_BNC.shape[1] - 1);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-6)));
}

/**
 * TEC's target: features of a frozen teacher, squared error on scored tokens, and its attention, cross-entropy over
 * class token and most attended patches. Source: official TEC. Branch `feature`, values `features` [B, N, Ct],
 * standardised over all N tokens; branch `attention`, see `attentionTargets`.
 * @throws ConfigError if the teacher's grid is not the student's, or has fewer patches than `topK`.
 */
export function tecTarget({ teacher, attention, topK, temperature }: TecTargetOptions): Target {
  const own = patchGrid(teacher.image, teacher.patch);
  const cells = cellsOf(own);
  const { width, heads } = teacher;
  if (attention && topK > cells) {
    throw new ConfigError(`the ${topK} most attended of ${cells} patches are asked for`, { place: 'topK', remedy: `Choose at most ${cells}.` });
  }
  return {
    spec(grid) {
      checkGrid(own, grid);
      return {
        [FEATURE]: { values: width, scale: 1, loss: 'mse', output: FEATURES },
        ...(attention ? { [ATTENTION]: { values: 2 * width, scale: 1, loss: 'cross-entropy' } } : {}),
      };
    },
    params: () => teacherParams(teacher),
    pretrained: () => loadTeacher(teacher),
    targets(images_BHWC, _plan, params) {
      const tokens = teacherTokens(images_BHWC, params, teacher, attention);
      const [batch] = tokens.shape;
      const third = (place: number, first: number): Tensor3D => tf.slice(tokens, [0, first, place * width], [batch, 1 + cells - first, width]);
      return {
        [FEATURE]: { [FEATURES]: standardizeOverTokens(third(0, 1)) },
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

function checkGrid(own: Grid, grid: Grid): void {
  if (grid.rows === own.rows && grid.columns === own.columns) return;
  throw new ConfigError(`the teacher's patches make a grid of ${own.rows} x ${own.columns}, the encoder has ${grid.rows} x ${grid.columns}`, {
    place: 'patchSize',
    remedy: 'Give target and encoder the same patch size.',
  });
}
