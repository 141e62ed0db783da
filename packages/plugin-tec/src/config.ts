import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const side = z.int().min(1);

/** The frozen network whose features and attention are reconstructed. Defaults: ViT-B, as iBOT and MAE publish it. */
export const TeacherConfig = z.strictObject({
  checkpoint: z
    .string()
    .min(1)
    .nullable()
    .optional()
    .describe('Weights of a ViT: a .pth or .safetensors file, a checkpoint folder or a run folder. null: a teacher that starts at random and stays so, for tests.'),
  weights: z
    .enum(['teacher', 'student'])
    .default('teacher')
    .describe('Which weights to take from a file that holds both, as self-distillation saves them; the other ones where it lacks these.'),
  width: count('Width; a multiple of heads.').default(768),
  depth: count('Blocks.').default(12),
  heads: count('Attention heads.').default(12),
  mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width.'),
  lastLayers: count('Blocks from the end whose outputs are averaged to the target features.').default(2),
});
export type TeacherConfig = z.infer<typeof TeacherConfig>;

/** Settings of TEC. Defaults: a ViT-B/16 student of an iBOT ViT-B/16, the published recipe. `teacher.checkpoint` must be given. */
export const TecConfig = z
  .strictObject({
    teacher: TeacherConfig.prefault({}).describe('The frozen teacher: a ViT on the same patches.'),
    targets: z
      .enum(['features-and-attention', 'feature-only'])
      .default('features-and-attention')
      .describe("What is reconstructed of the teacher; 'feature-only' leaves out the attention branch."),
    topK: count('Patches with most of the class token’s attention; theirs and the class token’s rows of attention are reconstructed.').default(9),
    temperature: z.number().positive().default(1).describe('Temperature of the teacher’s attention.'),
    patchSize: z.union([side, z.tuple([side, side])]).default(16).describe('Patch size in pixels: one number, or [height, width].'),
    width: count('Encoder width; a multiple of 4 and of heads.').default(768),
    depth: count('Encoder blocks; a multiple of adapterBlocks.').default(12),
    heads: count('Attention heads of an encoder block.').default(12),
    mlpRatio: z.number().positive().default(4).describe('Hidden width of a block’s MLP over its width, in encoder and decoder.'),
    inputAdapter: z.boolean().default(true).describe('An MLP on the class token before the first block.'),
    adapterBlocks: count('Blocks whose outputs one encoder adapter brings together.').default(3),
    decoderWidth: count('Decoder width; a multiple of 4 and of decoderHeads.').default(512),
    decoderDepth: count('Decoder blocks, shared by both branches.').default(2),
    decoderHeads: count('Attention heads of a decoder block.').default(16),
    maskRatio: z.number().gt(0).lt(1).default(0.75).describe('Share of tokens that is hidden; floor(N * (1 - maskRatio)) stay visible.'),
    embedPatches: z
      .enum(['visible', 'all'])
      .default('visible')
      .describe("Which patches meet the student's embedding product: the visible ones alone, or all of them as in the released code. Same result; 'all' costs more."),
  })
  .superRefine((config, context) => {
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const divisible = (key: 'width' | 'decoderWidth' | 'depth', by: number, why: string): void => {
      if (config[key] % by !== 0) refuse([key], `${config[key]} is not divisible by ${by} (${why})`);
    };
    const { teacher } = config;
    if (teacher.checkpoint === undefined) {
      refuse(['teacher', 'checkpoint'], 'TEC needs a teacher: name the weights of a ViT (.pth, .safetensors, run folder), or write null for one that starts at random');
    }
    if (teacher.width % teacher.heads !== 0) refuse(['teacher', 'width'], `${teacher.width} is not divisible by ${teacher.heads} (teacher.heads)`);
    if (teacher.width % 4 !== 0) refuse(['teacher', 'width'], `${teacher.width} is not divisible by 4 (sine-cosine positions)`);
    if (teacher.lastLayers > teacher.depth) refuse(['teacher', 'lastLayers'], `there are no ${teacher.lastLayers} blocks in a depth of ${teacher.depth}`);
    divisible('width', config.heads, 'heads');
    divisible('width', 4, 'sine-cosine positions');
    divisible('depth', config.adapterBlocks, 'adapterBlocks');
    divisible('decoderWidth', config.decoderHeads, 'decoderHeads');
    divisible('decoderWidth', 4, 'sine-cosine positions');
  });

export type TecConfig = z.infer<typeof TecConfig>;
