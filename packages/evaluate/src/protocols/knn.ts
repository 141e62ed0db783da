import { z } from 'zod';
import { knnClassify } from '../knn.js';
import { frozenFeatures } from '../model/frozen-features.js';
import { defineProtocol } from '../protocol/protocol.js';

const KnnConfig = z.strictObject({
  k: z.int().min(1).default(20).describe('Neighbours that vote.'),
  temperature: z.number().positive().default(0.07).describe('T of the weight exp(similarity / T) of a vote.'),
  pool: z.enum(['cls', 'mean', 'tokens']).default('mean').describe('Features: the class token, the mean of the patch tokens, or all patch tokens.'),
  batch: z.int().min(1).default(256).describe('Images encoded at once.'),
});

/** Weighted nearest neighbours on frozen features: nothing is trained. */
export const knn = defineProtocol<z.infer<typeof KnnConfig>>({
  name: 'knn',
  about: 'weighted nearest neighbours by cosine similarity on frozen features',
  source: 'Wu et al. 2018 (arXiv:1805.01978), section 3.4; k 20 and T 0.07 as DINO has them (arXiv:2104.14294)',
  configSchema: KnnConfig,
  async run({ k, temperature, pool, batch }, context) {
    const train = await frozenFeatures(context, 'train', { pool, batch });
    const test = await frozenFeatures(context, 'test', { pool, batch });
    const { predictions } = await knnClassify({ engine: context.engine, train, test, classes: context.data.classes.length, k, temperature });
    return { predicted: predictions, labels: test.labels, details: { neighbours: Math.min(k, train.count), width: train.width } };
  },
});
