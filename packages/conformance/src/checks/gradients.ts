import type { Objective } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { allFinite, ensure, type Check, type Examined } from '../check.js';
import { eagerly, objectiveOf } from '../subject.js';

/** Loss and the gradient of every trainable parameter, on the host, in training mode. */
export interface Differentiated {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** Differentiates the objective over the examined batch with its initial parameters. */
export function differentiate(examined: Examined, objective: Objective): Promise<Differentiated> {
  return eagerly(examined, objective, (batch, params) => {
    const trainable = Object.entries(objective.params()).filter(([, spec]) => spec.trainable);
    const names = trainable.map(([name]) => name);
    const loss = (...tensors: tf.Tensor[]): tf.Scalar => {
      const changed = Object.fromEntries(names.map((name, i) => [name, tensors[i] as tf.Tensor]));
      // tfjs refuses to differentiate by what the loss never touches; touching all with weight 0 lets us name those.
      const touched = tf.addN(tensors.map((tensor) => tf.mul(tf.sum(tensor), 0)));
      return tf.add(objective.evaluate(batch, { ...params, ...changed }, true).loss, touched);
    };
    const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => params[name] as tf.Tensor));
    return {
      loss: value.dataSync()[0] as number,
      gradients: Object.fromEntries(names.map((name, i) => [name, Float32Array.from((grads[i] as tf.Tensor).dataSync())])),
    };
  });
}

/** Every trainable parameter moves, or is named as one that cannot. */
export function ensureGradients({ settings }: Examined, { loss, gradients }: Differentiated): void {
  ensure(Number.isFinite(loss), () => `the loss is ${loss}`);
  const bad = Object.entries(gradients).filter(([, gradient]) => !allFinite(gradient));
  ensure(bad.length === 0, () => `the gradient is not finite for ${bad.map(([name]) => name).join(', ')}`);
  const dead = Object.entries(gradients).filter(([name, gradient]) => !settings.withoutGradient(name) && gradient.every((value) => value === 0));
  ensure(dead.length === 0, () => `no gradient reaches ${dead.map(([name]) => name).join(', ')}: unused, cut off, or to be declared trainable: false`);
}

export const gradientChecks: readonly Check[] = [
  {
    name: 'a gradient reaches every trainable parameter',
    run: async (examined) => {
      ensureGradients(examined, await differentiate(examined, objectiveOf(examined)));
    },
  },
  {
    name: 'it leaves no tensor behind',
    run: async (examined) => {
      const objective = objectiveOf(examined);
      await eagerly(examined, objective, (batch, params) => {
        const trainable = Object.keys(objective.params()).filter((name) => objective.params()[name]?.trainable === true);
        const step = (): void => {
          const loss = (...tensors: tf.Tensor[]): tf.Scalar =>
            objective.evaluate(batch, { ...params, ...Object.fromEntries(trainable.map((name, i) => [name, tensors[i] as tf.Tensor])) }, true).loss;
          tf.tidy(() => {
            tf.valueAndGrads(loss)(trainable.map((name) => params[name] as tf.Tensor));
          });
        };
        step();
        const before = tf.memory().numTensors;
        for (let i = 0; i < 3; i++) step();
        const left = tf.memory().numTensors - before;
        ensure(left === 0, () => `three steps leave ${left} tensors: a hook keeps some, or makes them outside its call`);
      });
    },
  },
];
