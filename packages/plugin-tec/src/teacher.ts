import { loadWeights, type HostTensor, type ImageSpec, type NamedHostTensors, type Params, type ParamSpecs } from '@mimlab/core';
import {
  blockQkv,
  constant,
  linear,
  param,
  patchGrid,
  patchify,
  repeatToken,
  vitBlockFrom,
  vitBlockOutputs,
  vitEncoderParams,
  withGradient,
  type PatchSize,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TeacherConfig } from './config.js';

/** Prefix of the teacher's parameters among those of the run. */
export const TEACHER = 'teacher.';

export interface TeacherOptions extends TeacherConfig {
  readonly image: ImageSpec;
  readonly patch: PatchSize;
}

/** A ViT's own parameters, as checkpoints name them. The final norm and all heads are not applied, so they are not here. */
function vitParams(options: TeacherOptions): ParamSpecs {
  const specs = vitEncoderParams(options, patchGrid(options.image, options.patch));
  return Object.fromEntries(Object.entries(specs).filter(([name]) => !name.startsWith('norm.')));
}

/**
 * The teacher's parameters, frozen, under `teacher.`. Where a checkpoint is named they are not a number until it has
 * been read: a run that forgets to stops at its first loss instead of learning from noise.
 */
export const teacherParams = (options: TeacherOptions): ParamSpecs =>
  Object.fromEntries(
    Object.entries(vitParams(options)).map(([name, spec]) => [
      TEACHER + name,
      { ...spec, trainable: false, init: typeof options.checkpoint === 'string' ? constant(NaN) : spec.init },
    ]),
  );

/** Tensors of a checkpoint that are not the teacher's: decoders, heads, norms, masks, another teacher. */
const NOT_OURS = /^(?!(cls_token|pos_embed)$|(patch_embed|blocks)\.)/;

/**
 * The teacher's values, in memory layout, by parameter name; none where it starts at random. Understood are official MAE
 * checkpoints, iBOT's (whole, or the backbone alone), checkpoints and run folders of mimlab.
 * @throws CheckpointError that lists what is missing, unknown or of another shape.
 */
export async function loadTeacher(options: TeacherOptions): Promise<NamedHostTensors> {
  const { checkpoint, weights } = options;
  if (typeof checkpoint !== 'string') return {};
  const { values } = await loadWeights(checkpoint, vitParams(options), {
    keys: weights === 'teacher' ? ['teacher', 'student'] : ['student', 'teacher'],
    rename: (name) => name.replace(/^(module\.)?backbone\./, ''),
    ignore: [NOT_OURS],
  });
  return Object.fromEntries(Object.entries(values).map(([name, value]): [string, HostTensor] => [TEACHER + name, value]));
}

/**
 * The teacher's forward pass on whole images: the mean of the last `lastLayers` blocks' raw outputs, and, `withAttention`,
 * queries and keys of the last block. It is kept out of the gradient's record, so its activations are free at once.
 * @returns features and queries and keys of class token and patches, side by side: [B, 1 + N, Ct or 3 * Ct]
 */
export function teacherTokens(images_BHWC: Tensor4D, params: Params, options: TeacherOptions, withAttention: boolean): Tensor3D {
  const own = Object.fromEntries(Object.entries(params).flatMap(([name, value]) => (name.startsWith(TEACHER) ? [[name.slice(TEACHER.length), value]] : [])));
  return withGradient<Tensor3D>(
    [images_BHWC],
    () => forward(images_BHWC, own, options, withAttention),
    () => [tf.zeros(images_BHWC.shape)],
  );
}

function forward(images_BHWC: Tensor4D, params: Params, options: TeacherOptions, withAttention: boolean): Tensor3D {
  const { patch, width, depth, heads, lastLayers } = options;
  const [batch] = images_BHWC.shape;
  const patches = linear(patchify(images_BHWC, patch), params, 'patch_embed.proj');
  const embedded = tf.reshape(patches, [batch, -1, width]);
  const sequence = tf.add(tf.concat([repeatToken(param(params, 'cls_token'), batch, 1), embedded], 1), param(params, 'pos_embed'));
  const tokens = sequence.shape[1] as number;
  const shape = { batch, tokens, heads };
  const rows = tf.reshape(sequence, [batch * tokens, width]) as Tensor2D;
  const outputs = vitBlockOutputs(rows, params, 'blocks', depth - 1, shape);
  const last = `blocks.${depth - 1}`;
  const input = outputs.at(-1) ?? rows;
  const qkv = blockQkv(input, params, last);
  outputs.push(vitBlockFrom(input, qkv, params, last, shape));
  const averaged = outputs.slice(-lastLayers);
  const features = tf.div(averaged.reduce((sum, output) => tf.add(sum, output)), averaged.length) as Tensor2D;
  const kept = withAttention ? tf.concat([features, tf.slice(qkv, [0, 0], [batch * tokens, 2 * width])], 1) : features;
  return tf.reshape(kept, [batch, tokens, kept.shape[1]]);
}
