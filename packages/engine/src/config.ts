import { z } from 'zod';

/** Section `engine` of a run's YAML: where and how steps are computed. */
export const EngineConfig = z.strictObject({
  kind: z
    .enum(['auto', 'graph', 'eager'])
    .default('auto')
    .describe('graph: compiled TensorFlow graph; eager: operation by operation on tfjs; auto: graph where libtensorflow is found, else eager'),
  precision: z.enum(['fp32', 'bf16']).default('fp32').describe('bf16: products and activations in bfloat16, weights and optimizer in float32 (graph only)'),
  threads: z.int().min(1).optional().describe('threads for operations; default: the number of cores'),
  xla: z.boolean().default(false).describe('let TensorFlow cluster operations with XLA (graph only)'),
  cache: z.boolean().default(true).describe('keep compiled steps on the disk for the next start (graph only)'),
  recompute: z
    .enum(['none', 'cheap', 'blocks'])
    .default('none')
    .describe('what the backward pass computes again instead of keeping it, to the same results: nothing; cheap: elementwise operations and copies; blocks: whole transformer blocks (graph only, without XLA)'),
});
export type EngineConfig = z.infer<typeof EngineConfig>;
