import type { Loader } from '@mimlab/data';
import { createRowReader, imagesOf, type RowProgress } from '../loader-rows.js';
import type { Classifier } from '../model/classifier.js';
import { stopIfAsked, type EvaluationContext } from '../protocol/protocol.js';
import { predictionsFromScores, type Predictions } from '../protocol/results.js';
import { classifyingStep } from '../training/classifier-step.js';

type Answers = Pick<Predictions, 'predicted' | 'labels' | 'top5'>;

/** Asks a classifier about images, set by set. */
export interface Respondent {
  /**
   * The class of every image of a loader that does not shuffle.
   * @param columns the head's number of each class of the images; the others are no possible answers. All unless given
   */
  answers(loader: Loader, columns?: Int32Array, progress?: RowProgress): Promise<Answers>;
  dispose(): void;
}

/** @param classifier held by the engine */
export function createRespondent({ engine, model, signal }: Pick<EvaluationContext, 'engine' | 'model' | 'signal'>, classifier: Classifier): Respondent {
  const reader = createRowReader({ engine, step: classifyingStep(classifier, classifier.params(), model.statistics), output: 'logits' });
  const { classes } = classifier;
  return {
    async answers(loader, columns = Int32Array.from({ length: classes }, (_, index) => index), progress = () => undefined) {
      const predicted = new Int32Array(loader.size);
      const labels = new Int32Array(loader.size);
      let amongFive = 0;
      let done = 0;
      for await (const batch of loader.epoch(0)) {
        try {
          const logits = await reader.rows(imagesOf(batch));
          const scores = Float32Array.from({ length: batch.labels.length * columns.length }, (_, at) => logits[Math.floor(at / columns.length) * classes + (columns[at % columns.length] as number)] as number);
          const some = predictionsFromScores(scores, batch.labels, columns.length);
          predicted.set(some.predicted, done);
          labels.set(some.labels, done);
          done += some.labels.length;
          amongFive += Math.round((some.top5 ?? 0) * some.labels.length);
        } finally {
          batch.release();
        }
        stopIfAsked(signal);
        progress(done, loader.size);
      }
      return { predicted, labels, ...(columns.length > 5 && done > 0 ? { top5: amongFive / done } : {}) };
    },
    dispose: () => {
      reader.dispose();
    },
  };
}

/** Asks a classifier, which the engine holds, about the test images. @param columns as for `Respondent.answers` */
export async function testAnswers(context: EvaluationContext, classifier: Classifier, batch: number, columns?: Int32Array): Promise<Answers> {
  const respondent = createRespondent(context, classifier);
  const loader = await context.data.openTest(batch);
  try {
    return await respondent.answers(loader, columns, (done, total) => {
      context.report({ kind: 'progress', stage: 'test images', unit: 'images', done, total, text: '' });
    });
  } finally {
    await loader.close();
    respondent.dispose();
  }
}
