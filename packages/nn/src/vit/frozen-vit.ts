import { loadWeights, type HostTensor, type ImageSpec, type NamedHostTensors, type Params, type ParamSpecs } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchGrid, patchify, type PatchSize } from '../images/patchify.js';
import { withGradient } from '../layers/custom-gradient.js';
import { linear } from '../layers/linear.js';
import { blockQkv, vitBlockFrom, vitBlockOutputs } from '../layers/vit-block.js';
import { constant } from '../params/initializers.js';
import { param } from '../params/lookup.js';
import { vitEncoderParams } from './encoder.js';
import { repeatToken } from './tokens.js';

export interface FrozenVitOptions {
  readonly image: ImageSpec;
  readonly patch: PatchSize;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  /** Of its parameters among those of the run: `teacher.`. */
  readonly prefix: string;
  /** Weights to read: a file, a checkpoint folder or a run folder. Without one it starts at random and stays so. */
  readonly checkpoint?: string | null | undefined;
  /** Which weights to take from a file that holds both, as self-distillation saves them; the other ones where it lacks these. */
  readonly weights: 'teacher' | 'student';
}

/** What a frozen ViT makes of whole images. Rows [B (1 + N), D], class token first. */
export interface SeenImages {
  /** What each block gives; nothing is normed. */
  readonly outputs_MD: readonly Tensor2D[];
  /** Queries, keys and values of the last block side by side. */
  readonly qkv_M3D: Tensor2D;
}

/** A ViT whose parameters come from a file and never change: a teacher. */
export interface FrozenVit {
  /** Where a checkpoint is named they are not a number until it has been read: a run that forgets to stops at its first loss instead of learning from noise. */
  params(): ParamSpecs;
  /**
   * Its values in memory layout, by parameter name; none where it starts at random. Understood are official MAE
   * checkpoints, iBOT's (whole, or the backbone alone), checkpoints and run folders of mimlab.
   * @throws CheckpointError that lists what is missing, unknown or of another shape.
   */
  pretrained(): Promise<NamedHostTensors>;
  /**
   * A forward pass on whole images, kept out of the gradient's record, so that activations are free at once.
   * @param params those of the run
   * @param read what is kept of it, columns of the rows
   * @returns [B, 1 + N, columns]
   */
  look(images_BHWC: Tensor4D, params: Params, read: (seen: SeenImages) => Tensor2D): Tensor3D;
}

/** Tensors of a checkpoint that are not the trunk's: decoders, heads, norms, masks, another teacher. */
const NOT_OURS = /^(?!(cls_token|pos_embed)$|(patch_embed|blocks)\.)/;

/** The final norm and all heads are not applied, so they are not among its parameters. */
export function frozenVit(options: FrozenVitOptions): FrozenVit {
  const { prefix, checkpoint, weights } = options;
  const specs = (): ParamSpecs =>
    Object.fromEntries(Object.entries(vitEncoderParams(options, patchGrid(options.image, options.patch))).filter(([name]) => !name.startsWith('norm.')));
  return {
    params: () =>
      Object.fromEntries(
        Object.entries(specs()).map(([name, spec]) => [prefix + name, { ...spec, trainable: false, init: typeof checkpoint === 'string' ? constant(NaN) : spec.init }]),
      ),
    async pretrained() {
      if (typeof checkpoint !== 'string') return {};
      const { values } = await loadWeights(checkpoint, specs(), {
        keys: weights === 'teacher' ? ['teacher', 'student'] : ['student', 'teacher'],
        rename: (name) => name.replace(/^(module\.)?backbone\./, ''),
        ignore: [NOT_OURS],
      });
      return Object.fromEntries(Object.entries(values).map(([name, value]): [string, HostTensor] => [prefix + name, value]));
    },
    look(images_BHWC, params, read) {
      const own = Object.fromEntries(Object.entries(params).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])));
      const [batch] = images_BHWC.shape;
      return withGradient<Tensor3D>(
        [images_BHWC],
        () => {
          const kept = read(seenBy(own, images_BHWC, options));
          return tf.reshape(kept, [batch, -1, kept.shape[1]]);
        },
        () => [tf.zeros(images_BHWC.shape)],
      );
    },
  };
}

function seenBy(params: Params, images_BHWC: Tensor4D, { patch, width, depth, heads }: FrozenVitOptions): SeenImages {
  const [batch] = images_BHWC.shape;
  const embedded = tf.reshape(linear(patchify(images_BHWC, patch), params, 'patch_embed.proj'), [batch, -1, width]);
  const sequence = tf.add(tf.concat([repeatToken(param(params, 'cls_token'), batch, 1), embedded], 1), param(params, 'pos_embed'));
  const tokens = sequence.shape[1] as number;
  const shape = { batch, tokens, heads };
  const rows = tf.reshape(sequence, [batch * tokens, width]) as Tensor2D;
  const outputs = vitBlockOutputs(rows, params, 'blocks', depth - 1, shape);
  const input = outputs.at(-1) ?? rows;
  const qkv_M3D = blockQkv(input, params, `blocks.${depth - 1}`);
  return { outputs_MD: [...outputs, vitBlockFrom(input, qkv_M3D, params, `blocks.${depth - 1}`, shape)], qkv_M3D };
}
