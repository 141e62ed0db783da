import { cellsOf, CompositionError, part, type Encoder, type Grid, type ImageSpec, type Initializer, type ParamSpecs, type Params, type PlanTensors } from '@mimlab/core';
import {
  blockName,
  blockWindow,
  gatherRows,
  joinCells,
  layerNorm,
  linear,
  linearMacs,
  mergingName,
  mlpWidth,
  normParams,
  patchEmbedMacs,
  patchEmbedParams,
  patchGrid,
  patchify,
  patchMergingMacs,
  patchValues,
  reduceCells,
  swinBlock,
  swinStages,
  swinStagesParams,
  unitSide,
  visibleAttention,
  visibleInverse,
  visibleSite,
  VIT_EPSILON,
  xavierUniform,
  type SwinStage,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { featureOf } from './branches.js';
import type { LocalMimSwin } from './config.js';

const PREFIX = 'encoder.';

/** Stages of the encoder, and the grid of mask units: one unit is a token of the last stage. */
export function swinOf(config: LocalMimSwin, image: ImageSpec): { readonly stages: readonly SwinStage[]; readonly units: Grid } {
  const { patchSize, width, depth, heads, window, mlpRatio } = config;
  const grid = patchGrid(image, { height: patchSize, width: patchSize });
  const stages = swinStages({ grid, width, depths: depth, heads, window, mlpRatio });
  return { stages, units: (stages[stages.length - 1] as SwinStage).grid };
}

/**
 * A Swin transformer that carries visible tokens only, unit by unit, read after every stage. Attention alone meets the
 * whole grid, where hidden places are masked; windows and relative positions are Swin's own. One mask serves the batch.
 * Features have a row for each visible unit: its tokens side by side, in raster order.
 * Source: official LocalMIM, Swin version; `merging: released` keeps its two slips (specification, section 1.9).
 */
export function tappedSwinEncoder(config: LocalMimSwin, image: ImageSpec): Encoder {
  const { stages, units } = swinOf(config, image);
  const released = config.merging === 'released';
  const patch = { height: config.patchSize, width: config.patchSize };
  const unit = { height: image.height / units.rows, width: image.width / units.columns };
  const names = stages.map((_, place) => featureOf(place, stages.length));
  /** Width of the tokens behind a stage and its merging, and how many a unit has along a side. */
  const behind = ({ width, merges, grid }: SwinStage): { readonly width: number; readonly side: number } =>
    merges ? { width: 2 * width, side: unitSide(grid, units) / 2 } : { width, side: unitSide(grid, units) };
  const features = stages.map((stage, place): [string, Encoder['features'][string]] => {
    const { width, side } = behind(stage);
    return [names[place] as string, { width: side * side * width, cells: 'visible', cls: false }];
  });

  /** Visible patches, embedded and normed, unit by unit, [B * V * side^2, C]. */
  const embed = (images_BHWC: Tensor4D, plan: PlanTensors, params: Params): Tensor2D => {
    const unitRows = patchify(images_BHWC, unit);
    const take = (rows: Tensor2D): Tensor2D => gatherRows(rows, plan.visibleRows, visibleInverse(plan));
    const inPatches = (rows: Tensor2D): Tensor2D => patchify(tf.reshape(rows, [-1, unit.height, unit.width, image.channels]), patch);
    const project = (rows: Tensor2D): Tensor2D => linear(rows, params, `${PREFIX}patch_embed.proj`);
    const everyUnit = (rows: Tensor2D): Tensor2D => tf.reshape(rows, [unitRows.shape[0], -1]);
    const embedded = config.embedPatches === 'visible' ? project(inPatches(take(unitRows))) : tf.reshape(take(everyUnit(project(inPatches(unitRows)))), [-1, config.width]);
    return layerNorm(embedded as Tensor2D, params, `${PREFIX}patch_embed.norm`);
  };

  const merge = (rows: Tensor2D, stage: SwinStage, params: Params): Tensor2D => {
    const side = unitSide(stage.grid, units);
    const inUnits = { rows: side, columns: side };
    return reduceCells(released ? joinByRows(rows, side) : joinCells(rows, inUnits), params, mergingName(PREFIX, stage), VIT_EPSILON);
  };

  return {
    grid: units,
    features: Object.fromEntries(features),
    output: names[names.length - 1] as string,
    params: () => swinParams(config, image, stages),
    encode(images_BHWC, plan, params) {
      let rows = part('patch', () => embed(images_BHWC, plan, params));
      const outputs: Record<string, tf.Tensor> = {};
      stages.forEach((stage, place) => {
        for (let j = 0; j < stage.depth; j++) {
          const site = visibleSite(stage, j, units, released && place > 0);
          const name = blockName(PREFIX, stage, j);
          rows = swinBlock(rows, params, name, (normed) => visibleAttention(normed, plan, params, `${name}.attn`, site), undefined, VIT_EPSILON);
        }
        if (stage.merges) rows = merge(rows, stage, params);
        outputs[names[place] as string] = tf.reshape(layerNorm(rows, params, `${PREFIX}norm.${place}`), [plan.batch, plan.counts.visible, -1]);
      });
      return outputs;
    },
    macs({ visible }) {
      const share = visible / cellsOf(units);
      const patches = cellsOf((stages[0] as SwinStage).grid) * (config.embedPatches === 'all' ? 1 : share);
      const encoder = stages.reduce((sum, stage) => {
        const cells = cellsOf(stage.grid);
        const linearPart = linearMacs(share * cells, stage.width, 4 * stage.width + 2 * mlpWidth(stage.width, stage.mlpRatio));
        const attentionPart = 2 * blockWindow(stage.grid, stage.window, 0).side ** 2 * cells * stage.width;
        return sum + stage.depth * (linearPart + attentionPart) + (stage.merges ? patchMergingMacs(share * cells, stage.width) : 0);
      }, 0);
      return { patch: patchEmbedMacs(patches, patchValues(patch, image.channels), config.width), encoder };
    },
  };
}

/** Joins 2 x 2 cells row by row, as the released code does: top left, top right, bottom left, bottom right. */
function joinByRows(rows: Tensor2D, side: number): Tensor2D {
  const [count, width] = rows.shape;
  const split = tf.reshape(rows, [count / (2 * side), 2, side / 2, 2, width]);
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4]), [count / 4, 4 * width]);
}

function swinParams({ width, patchSize }: LocalMimSwin, { channels }: ImageSpec, stages: readonly SwinStage[]): ParamSpecs {
  const startedAs = (init: Initializer, specs: ParamSpecs): ParamSpecs =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.layout.kind === 'linear' ? { ...spec, init } : spec]));
  const norms = stages.map((stage, place) => normParams(`${PREFIX}norm.${place}`, stage.merges ? 2 * stage.width : stage.width));
  return Object.assign(
    {},
    patchEmbedParams(`${PREFIX}patch_embed.proj`, { height: patchSize, width: patchSize }, channels, width),
    normParams(`${PREFIX}patch_embed.norm`, width),
    startedAs(xavierUniform, swinStagesParams(PREFIX, stages)),
    ...norms,
  ) as ParamSpecs;
}

/** @throws CompositionError if images of a batch would have masks of their own. */
export function checkBatchScope(scope: 'image' | 'batch'): void {
  if (scope === 'batch') return;
  throw new CompositionError('the Swin encoder of LocalMIM needs one mask for the whole batch, this sampler makes one for each image', {
    place: 'hooks.sampler',
    remedy: 'Leave the sampler to LocalMIM, or take another encoder.',
  });
}
