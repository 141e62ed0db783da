import { z } from 'zod';
import { ConfigError } from '@mimlab/core';
import { trunkOf } from '../model/trunk.js';
import { requireTrunk } from '../model/trunk-values.js';
import { defineProtocol } from '../protocol/protocol.js';
import { checkWarmup } from './training-config.js';
import { fineTune, tuningKeys } from './tuning.js';

const PartialConfig = z
  .strictObject({
    blocks: z.union([z.int().min(0), z.literal('half')]).default(1).describe('Last blocks that learn, 0 to all; half: norm and MLP of the last one.'),
    ...tuningKeys,
    epochs: z.int().min(1).default(50).describe('Passes over the labelled images; MAE tries 50, 100 and 200 and takes the best.'),
  })
  .superRefine(checkWarmup);

/** The last blocks, the final norm and the head learn; everything before them stays frozen. */
export const partial = defineProtocol<z.infer<typeof PartialConfig>>({
  name: 'partial',
  about: 'partial fine-tuning of the last blocks',
  source: 'MAE (arXiv:2111.06377), section 4.3 and appendix A.1: the recipe of full fine-tuning, 50 to 200 epochs',
  configSchema: PartialConfig,
  async run({ blocks, ...config }, context) {
    const all = trunkOf(requireTrunk(context.model.encoder).architecture, context.model.image).blocks;
    if (blocks !== 'half' && blocks > all) throw new ConfigError(`the network has ${all} blocks, ${blocks} cannot be tuned`, { place: 'blocks', remedy: `Choose 0 to ${all}.` });
    return fineTune(config, blocks, context);
  },
});
