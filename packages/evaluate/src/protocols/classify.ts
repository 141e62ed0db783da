import { z } from 'zod';
import { loadClassifier } from '../model/loaded-classifier.js';
import { headClassOf } from '../protocol/class-lists.js';
import { defineProtocol } from '../protocol/protocol.js';
import { testAnswers } from './answers.js';

/** Names for the classes of a head whose file has none. */
export const classListKey = z.string().min(1).optional().describe('Text file with the names of the classes of the head, one a line in its order, for models that do not name them; for ImageNet the 1000 folder names, sorted.');

const ClassifyConfig = z.strictObject({
  subset: z.boolean().default(false).describe('The test images may have some of the classes of the head only; the others are then no possible answers.'),
  classList: classListKey,
  batch: z.int().min(1).default(256).describe('Images at once.'),
});

/** A model that is fine-tuned already, as it is. */
export const classify = defineProtocol<z.infer<typeof ClassifyConfig>>({
  name: 'classify',
  about: 'a fine-tuned model as it is, on test images of the same classes or of some of them',
  source: 'MAE (arXiv:2111.06377), main_finetune.py --eval',
  configSchema: ClassifyConfig,
  learns: false,
  async run({ subset, classList, batch }, context) {
    const { classifier, classes, weights } = await loadClassifier(context, 'classify', classList);
    const columns = headClassOf(classes, classifier.classes, context.data.classes, subset, weights);
    const answers = await testAnswers(context, classifier, batch, columns);
    return { ...answers, details: { pool: classifier.pool, headClasses: classifier.classes } };
  },
});
