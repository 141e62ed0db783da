import { z } from 'zod';
import { defineProtocol } from '../protocol/protocol.js';
import { checkWarmup } from './training-config.js';
import { fineTune, tuningKeys } from './tuning.js';

const FinetuneConfig = z.strictObject(tuningKeys).superRefine(checkWarmup);

/** The whole network learns. */
export const finetune = defineProtocol<z.infer<typeof FinetuneConfig>>({
  name: 'finetune',
  about: 'full fine-tuning with layer-wise learning rates, soft targets, mixup, cutmix and stochastic depth',
  source:
    'MAE (arXiv:2111.06377), FINETUNE.md of the official code: ViT-B 100 epochs, base rate 5e-4, layer decay 0.65, drop path 0.1; ViT-L 50 epochs, 1e-3, 0.75, 0.2; 1024 images an update',
  configSchema: FinetuneConfig,
  run: (config, context) => fineTune(config, 'all', context),
});
