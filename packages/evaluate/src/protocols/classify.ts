import { ConfigError, loadWeights } from '@mimlab/core';
import { z } from 'zod';
import { createClassifier } from '../model/classifier.js';
import { defineParameters } from '../model/define-state.js';
import { readHead } from '../model/saved-classifier.js';
import { requireTrunk } from '../model/trunk-values.js';
import { trunkOf } from '../model/trunk.js';
import { headClassOf } from '../protocol/class-lists.js';
import { defineProtocol } from '../protocol/protocol.js';
import { classified } from './tuning.js';

const ClassifyConfig = z.strictObject({
  subset: z.boolean().default(false).describe('The test images may have some of the classes of the head only; the others are then no possible answers (ImageNet-A, -R).'),
  batch: z.int().min(1).default(256).describe('Images at once.'),
});

/** A model that is fine-tuned already, as it is. */
export const classify = defineProtocol<z.infer<typeof ClassifyConfig>>({
  name: 'classify',
  about: 'a fine-tuned model as it is, on test images of the same classes or of some of them',
  source: 'MAE (arXiv:2111.06377), main_finetune.py --eval',
  configSchema: ClassifyConfig,
  learns: false,
  async run({ subset, batch }, context) {
    const { model, data, engine } = context;
    const { architecture } = requireTrunk(model.encoder);
    if (model.weights === undefined) throw new ConfigError('an untrained encoder has no head', { place: 'classify', remedy: 'Name a fine-tuned model.' });
    const head = await readHead(model.weights, trunkOf(architecture, model.image).cls);
    const columns = headClassOf(head.classes, head.size, data.classes, subset, model.weights);
    const classifier = createClassifier({ architecture, image: model.image, classes: head.size, pool: head.pool });
    const specs = classifier.params();
    const { values } = await loadWeights(model.weights, specs);
    await defineParameters(engine, specs, values, 0);
    const predictions = await classified(context, classifier, batch, columns.length < head.size ? columns : undefined);
    return { ...predictions, details: { pool: head.pool, headClasses: head.size } };
  },
});
