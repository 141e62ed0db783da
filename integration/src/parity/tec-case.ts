import type { HostTensor, Prediction } from '@mimlab/core';
import type { StepDefinition } from '@mimlab/engine';
import { embedVisible, gelu, linear, patchGrid, vitBlock, type PatchSize } from '@mimlab/nn';
import { ADAPTED, ATTENTION, FEATURE, FEATURES, LOGITS, studentLogits, tec, TecConfig, teacherTokens, TOP_K } from '@mimlab/plugin-tec';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { withoutPrefix, type Golden } from './golden-cases.js';
import { batchOf, caseRun, type CaseRun } from './mae-case.js';

const ViT = z.object({ embed_dim: z.int(), depth: z.int(), num_heads: z.int() });

/** The `config` of a TEC case, under the names of the official code. */
const TecCase = z.object({
  img: z.int(),
  patch: z.int(),
  mask_ratio: z.number(),
  last_layers: z.int(),
  topkatt: z.int(),
  att_tau: z.number(),
  mlp_token: z.boolean(),
  pred_att: z.boolean(),
  student: ViT.extend({ decoder_embed_dim: z.int(), decoder_depth: z.int(), decoder_num_heads: z.int() }),
  teacher: ViT,
});

export interface TecRun extends CaseRun {
  readonly config: TecConfig;
  readonly attention: boolean;
  readonly patch: PatchSize;
  /** Official values of student and teacher, under our names. */
  readonly params: Readonly<Record<string, HostTensor>>;
}

/** Puts TEC together as a case describes it; how many blocks share an adapter and how wide MLPs are is read off the parameters. */
export function tecRun({ tensors, metadata }: Golden, embedPatches: TecConfig['embedPatches'] = 'visible'): TecRun {
  const { student, teacher, ...from } = TecCase.parse(JSON.parse(metadata['config'] ?? '{}'));
  const own = withoutPrefix(tensors, 'param.');
  const adapters = Object.keys(own).filter((name) => /^encoder_adaptor\.fuse_fcs\.\d+\.weight$/.test(name)).length;
  const channels = own['patch_embed.proj.weight']?.shape[1] ?? 3;
  const ratioOf = (prefix: string, width: number): number => (tensors[`${prefix}blocks.0.mlp.fc1.weight`]?.shape[0] ?? 4 * width) / width;
  const image = { height: from.img, width: from.img, channels };
  const config = TecConfig.parse({
    teacher: { checkpoint: null, width: teacher.embed_dim, depth: teacher.depth, heads: teacher.num_heads, mlpRatio: ratioOf('teacher.param.', teacher.embed_dim), lastLayers: from.last_layers },
    targets: from.pred_att ? 'features-and-attention' : 'feature-only',
    topK: from.topkatt,
    temperature: from.att_tau,
    patchSize: from.patch,
    width: student.embed_dim,
    depth: student.depth,
    heads: student.num_heads,
    mlpRatio: ratioOf('param.', student.embed_dim),
    inputAdapter: from.mlp_token,
    adapterBlocks: student.depth / adapters,
    decoderWidth: student.decoder_embed_dim,
    decoderDepth: student.decoder_depth,
    decoderHeads: student.decoder_num_heads,
    maskRatio: from.mask_ratio,
    embedPatches,
  });
  const ofTeacher = Object.entries(withoutPrefix(tensors, 'teacher.param.')).map(([name, tensor]) => [`teacher.${name}`, tensor] as const);
  return {
    config,
    attention: from.pred_att,
    patch: { height: from.patch, width: from.patch },
    params: { ...own, ...Object.fromEntries(ofTeacher) },
    ...caseRun({ image, method: { plugin: tec, config } }),
  };
}

/**
 * Everything that a case stores of a forward pass, under its names; predictions and the columns of the student's
 * attention stay in known order. Attention is [B, heads, rows, patches].
 */
export const tecForward = (run: TecRun): StepDefinition => ({
  name: 'parity.tec',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const { objective, config, patch, attention } = run;
    const batch = batchOf(inputs, run);
    const { features, predictions, targets, loss, parts } = objective.evaluate(batch, state, true);
    const { teacher } = config;
    const { cells } = sizes(run);
    const seen = teacherTokens(batch.images_BHWC, state, { ...teacher, image: objective.image, patch }, false);
    const B = batch.plan.batch;
    const outputs: Record<string, Tensor> = {
      'teacher.feature': tf.slice(seen, [0, 1, 0], [B, cells, teacher.width]),
      'output.encoder_last': features['latent'] as Tensor,
      'output.encoder_first': firstBlock(run, state, inputs),
      'output.adaptor': features[ADAPTED] as Tensor,
      'output.feature_pred': predictions[FEATURE]?.values[FEATURES] as Tensor,
      'output.feature_target_normalised': targets[FEATURE]?.[FEATURES] as Tensor,
    };
    const metrics: Record<string, tf.Scalar> = { loss_fea: parts[FEATURE] ?? loss };
    if (!attention) return { loss, metrics, outputs };
    metrics['loss_att'] = parts[ATTENTION] as tf.Scalar;
    const rows = 1 + config.topK;
    const { [TOP_K]: topK, [LOGITS]: logits } = targets[ATTENTION] as Record<string, Tensor>;
    outputs['teacher.topk_index'] = topK as Tensor;
    outputs['teacher.attention_logits'] = tf.transpose(tf.reshape(logits as Tensor, [B, cells, rows, teacher.heads]), [0, 3, 2, 1]);
    outputs['output.attention_logits'] = tf.reshape(studentLogits(predictions[ATTENTION] as Prediction, topK as Tensor2D, batch.plan, teacher.heads), [B, teacher.heads, rows, cells]);
    return { loss, metrics, outputs };
  },
});

export function sizes({ objective, patch }: TecRun): { readonly cells: number } {
  const { rows, columns } = patchGrid(objective.image, patch);
  return { cells: rows * columns };
}

/** Raw output of the first block, from the layers that the encoder uses. */
function firstBlock(run: TecRun, state: Parameters<StepDefinition['compute']>[0], inputs: Parameters<StepDefinition['compute']>[1]): Tensor3D {
  const { images_BHWC, plan } = batchOf(inputs, run);
  const { config, patch } = run;
  const { width, heads, inputAdapter, embedPatches } = config;
  const token = tf.reshape(state['cls_token'] as Tensor, [1, width]) as Tensor2D;
  const cls_token = inputAdapter ? linear(gelu(linear(token, state, 'cls_token_mlp.fc1')), state, 'cls_token_mlp.fc2') : token;
  const sequence = embedVisible(images_BHWC, plan, { ...state, cls_token }, { patch, embedPatches });
  const [batch, tokens] = sequence.shape;
  return tf.reshape(vitBlock(tf.reshape(sequence, [batch * tokens, width]), state, 'blocks.0', { batch, tokens, heads }), [batch, tokens, width]);
}

/** Attention [B, heads, rows, patches in known order] as cases store it: [B, 1, rows, heads, patches in raster order]. */
export function asStored(logits: HostTensor, gridRows?: Int32Array): HostTensor {
  const [batch, heads, rows, cells] = logits.shape as [number, number, number, number];
  const data = new Float32Array(logits.data.length);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++)
        for (let cell = 0; cell < cells; cell++) {
          const place = gridRows === undefined ? cell : (gridRows[b * cells + cell] as number) - b * cells;
          data[at++] = logits.data[((b * heads + head) * rows + row) * cells + place] as number;
        }
  return { shape: [batch, 1, rows, heads, cells], dtype: 'float32', data };
}
