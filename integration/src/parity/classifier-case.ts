import type { HostTensor, NamedHostTensors, ParamSpecs } from '@mimlab/core';
import type { Engine, StepDefinition } from '@mimlab/engine';
import { createClassifier, softCrossEntropy, type Classifier, type ClassifierOptions } from '@mimlab/evaluate';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { toFileLayout } from '@mimlab/core';
import { expect } from 'vitest';
import { expectClose } from './closeness.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { channelsLast } from './mae-case.js';

/** A classifier as a case describes it. */
export interface ClassifierRun {
  readonly classifier: Classifier;
  readonly specs: ParamSpecs;
}

export function classifierRun(options: ClassifierOptions): ClassifierRun {
  const classifier = createClassifier(options);
  return { classifier, specs: classifier.params() };
}

/** Features, scores, loss, and as outputs `grad.NAME` the gradient by every parameter. Images come normalised. */
export const gradientsStep = ({ classifier, specs }: ClassifierRun): StepDefinition => ({
  name: 'parity.classifier',
  state: Object.keys(specs),
  compute(state, inputs) {
    const names = Object.keys(specs);
    const scores = (): Tensor2D => classifier.logits(classifier.features(inputs['images'] as Tensor4D, state), state);
    const lossOf = (): tf.Scalar => softCrossEntropy(scores(), inputs['targets'] as Tensor2D);
    const gradients = tf.grads(lossOf)(names.map((name) => state[name] as Tensor));
    const features = classifier.features(inputs['images'] as Tensor4D, state);
    return {
      loss: lossOf(),
      outputs: { features, logits: classifier.logits(features, state), ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i] as Tensor])) },
    };
  },
});

/** Runs the step above on the images of a case. */
export async function runGradients(engine: Engine, run: ClassifierRun, golden: Golden, targets: HostTensor) {
  const step = engine.compile(gradientsStep(run));
  try {
    const outputs = ['features', 'logits', ...Object.keys(run.specs).map((name) => `grad.${name}`)];
    return await step.run({ images: channelsLast(tensorOf(golden, 'input.images')), targets }, { outputs });
  } finally {
    step.dispose();
  }
}

/** Compares every gradient of a case; `skip` leaves out elements that are rounding noise. */
export function expectGradients({ specs }: ClassifierRun, outputs: NamedHostTensors, golden: Golden, tolerance: number): void {
  const expected = withoutPrefix(golden.tensors, 'grad.');
  expect(Object.keys(expected).sort(), 'parameters with a gradient').toEqual(Object.keys(specs).sort());
  for (const [name, { layout }] of Object.entries(specs)) {
    expectClose(`grad.${name}`, toFileLayout(layout, outputs[`grad.${name}`] as HostTensor), expected[name] as HostTensor, tolerance);
  }
}
