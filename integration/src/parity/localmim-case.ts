import { composeRun, createObjective, hostTargetInputs, planTensors, stackPlans, type HostTensor, type NamedHostTensors, type NamedTensors, type Objective, type ParamSpecs, type TokenPlan } from '@mimlab/core';
import type { StepDefinition } from '@mimlab/engine';
import { localMim, LocalMimConfig } from '@mimlab/plugin-localmim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensorOf, type Golden } from './golden-cases.js';
import { channelsLast, entry } from './mae-case.js';

/** The run that a case describes, with the scale of each decoder. */
export interface LocalMimRun {
  readonly objective: Objective;
  readonly specs: ParamSpecs;
  readonly trainable: readonly string[];
  readonly scales: readonly number[];
}

/** Puts LocalMIM together. Every token is predicted, as in the official code, so that predictions can be compared. */
export function localMimRun(golden: Golden, given: Readonly<Record<string, unknown>>): LocalMimRun {
  const [, channels, height, width] = tensorOf(golden, 'input.images').shape as [number, number, number, number];
  const config = LocalMimConfig.parse(given);
  const objective = createObjective(composeRun({ image: { height, width, channels }, method: { plugin: localMim, config } }), { predictTokens: 'sequence' });
  const specs = objective.params();
  const wanted = objective.target.spec(objective.grid);
  return {
    objective,
    specs,
    trainable: Object.keys(specs).filter((name) => specs[name]?.trainable === true),
    scales: objective.decoder.branches.map(({ name }) => wanted[name]?.scale as number),
  };
}

/** Number of decoders that a case has parameters of. */
export const decodersOf = ({ tensors }: Golden): number => Object.keys(tensors).filter((name) => /^param\.decoder\.\d+\.mask_token$/.test(name)).length;

/** Inputs of a step: normalised images, plans, and what the loader computes from pixels, here from the images as they are. */
export function localMimInputs({ objective }: LocalMimRun, golden: Golden, plans: readonly TokenPlan[]): NamedHostTensors {
  const images = channelsLast(tensorOf(golden, 'input.images'));
  // The loader hands over bytes; any numbers will do, since histograms do not change with brightness and contrast.
  const pixels = plans.map((_, b) => entry(images, b).data as Uint8Array);
  return { images, ...stackPlans(plans, { shared: objective.sampler.scope === 'batch' }), ...hostTargetInputs(objective.target, pixels) };
}

function evaluated({ objective }: LocalMimRun, state: NamedTensors, inputs: NamedTensors): ReturnType<Objective['evaluate']> {
  const host = Object.entries(inputs).flatMap(([name, tensor]) => (name.startsWith('host.') ? [[name.slice(5), tensor] as const] : []));
  const batch = { images_BHWC: inputs['images'] as tf.Tensor4D, plan: planTensors(inputs, objective.grid), host: Object.fromEntries(host) };
  return objective.evaluate(batch, state, true);
}

/** Losses as metrics `loss`, `loss.K`; outputs `latent.K`, `pred.K`, `target.K`, as the cases number them. */
export const localMimForward = (run: LocalMimRun): StepDefinition => ({
  name: 'parity.localmim',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const { loss, parts, predictions, targets, features } = evaluated(run, state, inputs);
    const outputs: Record<string, Tensor> = {};
    const metrics: Record<string, tf.Scalar> = {};
    Object.values(features).forEach((feature, k) => (outputs[`latent.${k}`] = feature));
    run.objective.decoder.branches.forEach(({ name }, k) => {
      metrics[`loss.${k}`] = parts[name] as tf.Scalar;
      outputs[`pred.${k}`] = Object.values(predictions[name]?.values ?? {})[0] as Tensor;
      outputs[`target.${k}`] = Object.values(targets[name] ?? {})[0] as Tensor;
    });
    return { loss, metrics, outputs };
  },
});

/** Gradients of the loss as outputs, by parameter. */
export const localMimGradients = (run: LocalMimRun): StepDefinition => ({
  name: 'parity.localmim.gradients',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const gradients = tf.grads(() => evaluated(run, state, inputs).loss)(run.trainable.map((name) => state[name] as Tensor));
    return { outputs: Object.fromEntries(run.trainable.map((name, i) => [name, gradients[i] as Tensor])) };
  },
});

/** Squares of predictions, token by token [B, N, scale^2 * V], as one raster of predictions [B, N * scale^2, V]. */
export function asRaster(tokens: HostTensor, columns: number, scale: number): HostTensor {
  const [batch, cells, width] = tokens.shape as [number, number, number];
  if (scale <= 1) return tokens;
  const values = width / (scale * scale);
  const strip = scale * values;
  const data = new Float32Array(tokens.data.length);
  for (let token = 0; token < batch * cells; token++) {
    const [row, column] = [Math.floor(token / columns), token % columns];
    for (let line = 0; line < scale; line++) {
      const from = (token * scale + line) * strip;
      data.set(tokens.data.subarray(from, from + strip), ((row * scale + line) * columns + column) * strip);
    }
  }
  return { shape: [batch, cells * scale * scale, values], dtype: 'float32', data };
}
