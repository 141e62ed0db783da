import { z } from 'zod';

const AggregatorKeys = z.strictObject({
  kind: z
    .enum(['dwconv', 'avgpool', 'transformer', 'convnext', 'none'])
    .default('dwconv')
    .describe('What makes thrown tokens from the others. none: nothing does, which is partial reconstruction.'),
  kernel: z
    .int()
    .min(1)
    .refine((kernel) => kernel % 2 === 1, 'must be odd')
    .optional()
    .describe('Side of the kernel in tokens, odd (dwconv, avgpool, convnext). Default 7.'),
  init: z
    .enum(['host', 'uniform', 'mean'])
    .optional()
    .describe(`Start of the dwconv kernel. host (default): the method's rule for convolutions; uniform: ±1/kernel; mean: every tap 1/kernel², the centre 0.`),
  bias: z.boolean().optional().describe('Bias of the dwconv. Default true.'),
  countKnown: z.boolean().optional().describe('avgpool divides by the number of known cells under the kernel instead of kernel². Default false.'),
  scale: z.number().positive().optional().describe('Initial learned scale of the convnext branch; 1 (default), or 1e-6 as ConvNeXt starts.'),
});

const LossWeights = z
  .strictObject({
    retained: z.number().nonnegative().default(1).describe('Weight of retained tokens in the loss.'),
    thrown: z.number().nonnegative().default(1).describe('Weight of thrown tokens in the loss.'),
  })
  .refine(({ retained, thrown }) => retained + thrown > 0, 'one of the two weights must be above 0');

/**
 * Keys of the wrapper, named and defaulted as sections 4 to 6 of the PR-MIM specification have them. Those that mean
 * something only beside certain others are optional: where they mean nothing they are refused, where they do they get
 * their default (config-conditions.ts).
 */
export const PrMimKeys = z.strictObject({
  throw: z.number().min(0).lt(1).default(0.5).describe('Throwing ratio γ: the fraction of tokens that the expensive network never reconstructs. 0 leaves the method as it is.'),
  throwBase: z.enum(['all', 'masked']).default('all').describe('What γ is a fraction of: all tokens of the grid, or the masked ones.'),
  throwRounding: z.enum(['floor', 'round', 'ceil']).default('floor').describe('How the number of thrown tokens is rounded.'),

  throwUnit: z
    .enum(['token', 'mask-unit'])
    .default('token')
    .describe('What is thrown as a whole: single tokens, or the blocks that the method masks by (SimMIM); γ then counts blocks.'),
  sampling: z
    .enum(['random', 'furthest', 'running-cell', 'amt', 'amt-throw'])
    .default('furthest')
    .describe(`Which tokens are retained. amt decides masks and throws at once by the class token's attention; amt-throw follows it among the masked tokens.`),
  variant: z
    .enum(['count-matched', 'faithful'])
    .optional()
    .describe('running-cell, amt: V, K and T by the counting rule as for every sampler (count-matched, default), or as the sampler was released (faithful).'),
  cellRatio: z.number().min(0.25).lt(1).optional().describe('running-cell, count-matched: share of the 2 x 2 cell whose tokens are retained last, in quarters, rounded down. Default 0.5.'),
  amtMaskRatio: z.number().gt(0).lt(1).optional().describe(`amt, faithful: share of all tokens that is reconstructed; 'throw' is the share thrown besides. Default 0.45.`),
  refreshFrom: z.int().min(0).optional().describe('amt, amt-throw: the epoch, counted from 0, at whose end attention is first gathered. Default 40.'),
  refreshEvery: z.int().min(1).optional().describe('amt, amt-throw: epochs between one gathering and the next. Default 40.'),
  mapCrop: z
    .enum(['crop', 'released'])
    .optional()
    .describe(`amt, amt-throw: the part of an image's attention that a crop gets: that of the crop (default), or the corner that the released code takes.`),
  criterion: z.enum(['max-min', 'max-sum']).optional().describe('furthest: distance to the nearest retained token (max-min, default), or sum of distances (for ablation).'),
  anchors: z.enum(['masked', 'masked+visible']).optional().describe('furthest: whether visible tokens count as chosen from the start. Default masked: they do not.'),
  tieBreak: z.enum(['masked-order', 'random']).optional().describe(`furthest: order among equally far tokens; the masker's (default) or one of its own.`),
  firstToken: z.enum(['random', 'farthest']).optional().describe('furthest: the first token; farthest needs anchors: masked+visible. Default random.'),

  reconstruction: z
    .enum(['progressive', 'partial', 'subset'])
    .default('progressive')
    .describe('progressive: thrown tokens are made from the others and scored too; partial: never; subset: full-length decoder, loss on the retained tokens.'),
  predictTokens: z.enum(['retained', 'sequence']).optional().describe('partial, subset: the head works on the retained tokens (default) or on all the decoder holds. Same loss.'),

  merge: z
    .enum(['thrown-only', 'residual', 'replace-all'])
    .optional()
    .describe('progressive: the aggregation replaces thrown tokens (default), is added to all, or replaces all.'),
  aggregator: AggregatorKeys.optional().describe('progressive: default a 7x7 depth-wise convolution.'),
  fill: z.enum(['zero', 'mask-token']).optional().describe('progressive: what stands in thrown cells before aggregation; zeros (default) or mask token plus position.'),
  normalizeByCount: z.boolean().optional().describe('dwconv with fill zero: scale each output by kernel² over the number of known cells under the kernel. Default false.'),
  source: z.enum(['visible+retained', 'retained']).optional().describe('progressive: tokens that the aggregation sees. Default visible+retained.'),
  shareNorm: z.boolean().optional().describe(`progressive: thrown tokens use the method's final norm (default true) or one of their own.`),
  shareHead: z.boolean().optional().describe(`progressive: thrown tokens use the method's head (default true) or one of their own.`),
  stopGradient: z.enum(['none', 'known']).optional().describe('progressive: known keeps losses of thrown tokens out of the decoder. Default none.'),
  lossWeights: LossWeights.optional().describe('progressive: weights of the two groups. Default 1 and 1.'),
});

/** The keys with their values, before or after completion. */
export type PrMimKeys = z.output<typeof PrMimKeys>;
export type AggregatorKeys = NonNullable<PrMimKeys['aggregator']>;
