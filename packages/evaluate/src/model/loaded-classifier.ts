import { ConfigError, loadWeights } from '@mimlab/core';
import { namedClasses, readClassList } from '../protocol/class-lists.js';
import type { EvaluationContext } from '../protocol/protocol.js';
import { createClassifier, type Classifier } from './classifier.js';
import { defineParameters } from './define-state.js';
import { readHead } from './saved-classifier.js';
import { requireTrunk } from './trunk-values.js';
import { trunkOf } from './trunk.js';

/** A fine-tuned model that the engine holds. */
export interface LoadedClassifier {
  readonly classifier: Classifier;
  /** Names of its classes; absent where neither its file nor a list gives them. */
  readonly classes?: readonly string[];
  /** Its file, for messages. */
  readonly weights: string;
}

/**
 * Loads a fine-tuned model: one that mimlab wrote, or an official one under the same names.
 * @param classList path of a file with the names of the head's classes, which official files lack
 * @throws ConfigError, CheckpointError, DataError if there is no head, weights are missing or unknown, or the list does not fit
 */
export async function loadClassifier({ model, engine }: Pick<EvaluationContext, 'model' | 'engine'>, protocol: string, classList?: string): Promise<LoadedClassifier> {
  const { weights, image, encoder } = model;
  const { architecture } = requireTrunk(encoder);
  if (weights === undefined) throw new ConfigError('an untrained encoder has no head', { place: protocol, remedy: 'Name a fine-tuned model.' });
  const head = await readHead(weights, trunkOf(architecture, image).cls);
  const classes = namedClasses(head.classes, head.size, classList === undefined ? undefined : await readClassList(classList), weights);
  const classifier = createClassifier({ architecture, image, classes: head.size, pool: head.pool });
  const specs = classifier.params();
  const { values } = await loadWeights(weights, specs);
  await defineParameters(engine, specs, values, 0);
  return { classifier, weights, ...(classes === undefined ? {} : { classes }) };
}
