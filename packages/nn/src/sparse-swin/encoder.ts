import { cellsOf, part, type Encoder, type ImageSpec, type Initializer, type MacParts, type Params, type ParamSpecs, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchEmbedMacs } from '../cost/vit.js';
import { patchGrid, patchify, patchValues, type PatchSize } from '../images/patchify.js';
import { layerNorm, VIT_EPSILON } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { xavierUniform } from '../params/initializers.js';
import { normParams, patchEmbedParams } from '../params/specs.js';
import { swinBlock } from '../swin/block.js';
import { reduceCells } from '../swin/patch-merging.js';
import { blockWindow } from '../swin/windows.js';
import { blockName, denseSwin, denseSwinMacs, mergingName, swinStages, swinStagesParams, type SwinOptions, type SwinStage } from '../swin/stages.js';
import { LATENT, type EmbedPatches } from '../vit/encoder.js';
import { expectedLoads, plannedLoad, sparseSwinMacs } from './cost.js';
import { attentionInGroups, auxOf, siteTensors, sparseAttention, takeOfEach, type SiteTables } from './group-attention.js';
import { siteOf, sparseSites, coarsestGrid, type SparseSite } from './sites.js';
import { CELL_PLACES, CELLS, sparseTables } from './tables.js';
import type { GroupSize } from './windows.js';

export interface SparseSwinOptions extends Omit<SwinOptions, 'grid'> {
  readonly image: ImageSpec;
  /** Patch of the first stage. */
  readonly patch: PatchSize;
  readonly embedPatches: EmbedPatches;
  /** How windows are put together, and (`released`) whether whole blocks run on groups. The result is the same. */
  readonly grouping: GroupSize;
}

/** Prefix of the encoder's parameters in the released GreenMIM. */
const PREFIX = 'encoder.';

/** The stages of a sparse Swin; its plans speak of the last stage's grid. @throws ConfigError if sizes do not fit. */
export const sparseSwinStages = (options: Pick<SparseSwinOptions, 'image' | 'patch' | keyof Omit<SwinOptions, 'grid'>>): SwinStage[] =>
  swinStages({ ...options, grid: patchGrid(options.image, options.patch), cutWindows: true });

/**
 * A Swin transformer on visible patches alone. One token of its last stage is a unit of the mask, so that every merged
 * cell is visible or hidden as a whole; groups of tokens and their relative positions come as `aux` arrays of the plan
 * (see `sparseTables`), one plan for the whole batch. Plans that show every cell need none: they go through the dense
 * Swin, which gives the same numbers, or, where windows do not fit the grids, through groups of their own. Source: released GreenMIM (arXiv:2205.13515), with the parameter names of its state dict.
 * @throws ConfigError if sizes do not fit.
 */
export function sparseSwinEncoder(options: SparseSwinOptions): Encoder {
  const { image, patch, grouping } = options;
  const stages = sparseSwinStages(options);
  const grid = coarsestGrid(stages);
  const cells = cellsOf(grid);
  const { width } = stages[stages.length - 1] as SwinStage;
  const fits = stages.every(({ grid: { rows, columns }, window }) => {
    const { side } = blockWindow({ rows, columns }, window, 0);
    return rows % side === 0 && columns % side === 0;
  });
  const isDense = (visible: number): boolean => visible === cells && fits;
  const cost = { stages, rule: grouping, wholeBlocks: grouping === 'released' };
  const expected = new Map<number, number>();

  /** Blocks and mergings; without a plan in the mean over masks, which is worth keeping. */
  const expectedMacs = (visible: number): number => {
    const known = expected.get(visible);
    if (known !== undefined) return known;
    const loads = expectedLoads(cost, visible);
    const macs = sparseSwinMacs(cost, visible, ({ name }) => loads.get(name) ?? { slots: 0, products: 0 });
    expected.set(visible, macs);
    return macs;
  };

  return {
    grid,
    features: { [LATENT]: { width, cells: 'visible', cls: false } },
    output: LATENT,
    params: () => encoderParams(options, stages),
    encode(images_BHWC, plan, params) {
      const { batch } = plan;
      const { visible } = plan.counts;
      const dense = isDense(visible);
      const grouped = visible === cells && !dense ? wholeGrid(plan, stages) : plan;
      const x = part('patch', () => embed(images_BHWC, dense ? undefined : grouped, params, options));
      const out = dense
        ? (denseSwin(x, params, stages, { batch, prefix: PREFIX, epsilon: VIT_EPSILON }).at(-1) as Tensor2D)
        : sparseSwin(x, grouped, params, stages, grouping);
      return { [LATENT]: tf.reshape(layerNorm(out, params, `${PREFIX}norm`), [batch, visible, width]) };
    },
    macs({ visible }, plan): MacParts {
      const dense = isDense(visible);
      const patches = cellsOf((stages[0] as SwinStage).grid);
      const embedded = dense || options.embedPatches === 'all' ? patches : (patches * visible) / cells;
      const blocks = plan?.aux === undefined ? expectedMacs : (count: number): number => sparseSwinMacs(cost, count, (site) => plannedLoad(site, plan));
      return { patch: patchEmbedMacs(embedded, patchValues(patch, image.channels), options.width), encoder: dense ? denseSwinMacs(stages) : blocks(visible) };
    },
  };
}

/** A plan that shows every cell, in raster order, with the group tables for it. */
function wholeGrid(plan: PlanTensors, stages: readonly SwinStage[]): PlanTensors {
  const tables = sparseTables(stages, Int32Array.from({ length: plan.counts.visible }, (_, cell) => cell), 'compact');
  return { ...plan, aux: Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, tf.tensor1d(table, 'int32')])) };
}

/** Patch embedding and its norm. @param plan absent: all patches @returns [B * tokens, C] */
function embed(images_BHWC: Tensor4D, plan: PlanTensors | undefined, params: Params, { patch, embedPatches }: SparseSwinOptions): Tensor2D {
  const patches = patchify(images_BHWC, patch);
  const take = (rows: Tensor2D): Tensor2D => (plan === undefined ? rows : takeOfEach(rows, plan.batch, auxOf(plan.aux, CELLS), auxOf(plan.aux, CELL_PLACES)));
  const project = (rows: Tensor2D): Tensor2D => linear(rows, params, `${PREFIX}patch_embed.proj`);
  return layerNorm(embedPatches === 'visible' ? project(take(patches)) : take(project(patches)), params, `${PREFIX}patch_embed.norm`);
}

/**
 * All stages on visible tokens.
 * @param x_MC [B * n, C], in the order of `visibleCells` @returns what leaves the last stage, [B * V, C], in the order of the tables' units
 */
export function sparseSwin(x_MC: Tensor2D, plan: PlanTensors, params: Params, stages: readonly SwinStage[], grouping: GroupSize): Tensor2D {
  const sites = sparseSites(stages, plan.counts.visible);
  const tables = new Map(sites.map((site) => [site.name, siteTensors(site, plan.aux)]));
  let x = x_MC;
  for (const stage of stages) {
    for (let j = 0; j < stage.depth; j++) {
      const site = siteOf(sites, stage, j);
      x = sparseBlock(x, plan.batch, params, blockName(PREFIX, stage, j), site, tables.get(site.name) as SiteTables, grouping);
    }
    // The four tokens of a cell stand side by side already.
    if (stage.merges) x = reduceCells(tf.reshape(x, [x.shape[0] / 4, 4 * stage.width]), params, mergingName(PREFIX, stage), VIT_EPSILON);
  }
  return x;
}

function sparseBlock(x: Tensor2D, batch: number, params: Params, name: string, site: SparseSite, tables: SiteTables, grouping: GroupSize): Tensor2D {
  const size = { batch, heads: site.stage.heads, window: site.window };
  const { slots, places } = tables;
  if (grouping === 'compact' || slots === undefined || places === undefined) {
    return swinBlock(x, params, name, (normed) => sparseAttention(normed, params, `${name}.attn`, tables, size), undefined, VIT_EPSILON);
  }
  const attend = (normed: Tensor2D): Tensor2D => attentionInGroups(normed, params, `${name}.attn`, tables, size);
  return takeOfEach(swinBlock(takeOfEach(x, batch, slots, places), params, name, attend, undefined, VIT_EPSILON), batch, places, slots);
}

/** Official names and order. GreenMIM starts every linear map as MAE does, tables of relative positions as Swin. */
function encoderParams({ patch, image, width }: SparseSwinOptions, stages: readonly SwinStage[]): ParamSpecs {
  const startedAs = (init: Initializer, specs: ParamSpecs): ParamSpecs =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.layout.kind === 'linear' ? { ...spec, init } : spec]));
  return {
    ...patchEmbedParams(`${PREFIX}patch_embed.proj`, patch, image.channels, width),
    ...normParams(`${PREFIX}patch_embed.norm`, width),
    ...startedAs(xavierUniform, swinStagesParams(PREFIX, stages)),
    ...normParams(`${PREFIX}norm`, (stages[stages.length - 1] as SwinStage).width),
  };
}
