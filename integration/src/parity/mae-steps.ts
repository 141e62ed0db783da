import { part, type HostTensor, type NamedTensors } from '@mimlab/core';
import type { StepDefinition } from '@mimlab/engine';
import { decoderInput, embedVisible, layerNorm, linear, PATCHES, patchify, PIXELS, vitBlock, type SequenceShape } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { batchOf, type CaseRun, type MaeRun } from './mae-case.js';

/** Forward pass: loss, and what the case calls `output.*` as far as it is a tensor of the step. */
export const forwardStep = (run: MaeRun): StepDefinition => ({
  name: 'parity.forward',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const outcome = run.objective.evaluate(batchOf(inputs, run), state, true);
    const pred = outcome.predictions[PIXELS]?.values[PATCHES] as Tensor;
    const target = outcome.targets[PIXELS]?.[PATCHES] as Tensor;
    return { loss: outcome.loss, outputs: { pred, target, latent: outcome.features['latent'] as Tensor } };
  },
});

/** Gradients of the loss as outputs, by parameter. */
export const gradientStep = (run: CaseRun): StepDefinition => ({
  name: 'parity.gradients',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const values = run.trainable.map((name) => state[name] as Tensor);
    const lossOf = (): tf.Scalar => run.objective.evaluate(batchOf(inputs, run), state, true).loss;
    const gradients = tf.grads(lossOf)(values);
    return { outputs: Object.fromEntries(run.trainable.map((name, i) => [name, gradients[i] as Tensor])) };
  },
});

/** The intermediate values that cases store as `tap.*`, built from the same layers that the hooks use. Decoder taps stay in known order. */
export const tapStep = (run: MaeRun): StepDefinition => ({
  name: 'parity.taps',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const { images_BHWC, plan } = batchOf(inputs, run);
    const { config, patch } = run;
    const taps: Record<string, Tensor> = {};
    const asSequence = (rows: Tensor2D, tokens: number): Tensor3D => tf.reshape(rows, [plan.batch, tokens, rows.shape[1]]);
    const blocks = (name: string, prefix: string, depth: number, input: Tensor3D, heads: number): Tensor2D => {
      const [batch, tokens, width] = input.shape;
      const shape: SequenceShape = { batch, tokens, heads };
      let rows = tf.reshape(input, [batch * tokens, width]) as Tensor2D;
      for (let i = 0; i < depth; i++) {
        rows = vitBlock(rows, state, `${prefix}.${i}`, shape);
        taps[`${name}.${i}`] = asSequence(rows, tokens);
      }
      return rows;
    };
    const embedded = linear(patchify(images_BHWC, patch), state, 'patch_embed.proj');
    taps['patch_embed'] = asSequence(embedded, embedded.shape[0] / plan.batch);
    const encoderIn = embedVisible(images_BHWC, plan, state, { patch, embedPatches: config.embedPatches });
    taps['encoder_in'] = encoderIn;
    const latentRows = layerNorm(blocks('block', 'blocks', config.depth, encoderIn, config.heads), state, 'norm');
    const tokens = encoderIn.shape[1];
    taps['decoder_embed'] = asSequence(part('decoderEmbed', () => linear(latentRows, state, 'decoder_embed')), tokens);
    const decoderIn = decoderInput(asSequence(latentRows, tokens), plan, state, true);
    taps['decoder_in'] = decoderIn;
    blocks('decoder_block', 'decoder_blocks', config.decoderDepth, decoderIn, config.decoderHeads);
    return { outputs: taps };
  },
});

/** A step whose gradient for every parameter is the array that is fed as `grad/NAME`: the loss is linear in the parameters. */
export const linearLoss = (run: CaseRun): Pick<StepDefinition, 'state' | 'compute'> => ({
  state: run.trainable,
  compute(state: NamedTensors, inputs: NamedTensors) {
    const terms = run.trainable.map((name) => tf.sum(tf.mul(state[name] as Tensor, inputs[`grad/${name}`] as Tensor)));
    return { loss: terms.reduce((sum, term) => tf.add(sum, term)) as tf.Scalar };
  },
});

/**
 * Tokens in known order [B, front + N, width] put into raster order; the `front` class tokens stay in front.
 * @param gridRows place b * N + rank of every cell among the known tokens
 */
export function toRaster(sequence: HostTensor, gridRows: Int32Array, front: number): HostTensor {
  const [batch, tokens, width] = sequence.shape as [number, number, number];
  const cells = tokens - front;
  const data = new Float32Array(sequence.data.length);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < tokens; t++) {
      const from = t < front ? t : front + (gridRows[b * cells + t - front] as number) - b * cells;
      data.set(sequence.data.subarray((b * tokens + from) * width, (b * tokens + from + 1) * width), (b * tokens + t) * width);
    }
  }
  return { shape: sequence.shape, dtype: 'float32', data };
}
