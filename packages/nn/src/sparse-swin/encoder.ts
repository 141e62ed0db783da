import { cellsOf, part, type Encoder, type FeatureSpec, type Initializer, type MacParts, type Params, type ParamSpecs, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchEmbedMacs } from '../cost/vit.js';
import { patchify, patchValues } from '../images/patchify.js';
import { layerNorm, VIT_EPSILON } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { xavierUniform } from '../params/initializers.js';
import { trunkParams } from '../params/trunk-params.js';
import { normParams, patchEmbedParams } from '../params/specs.js';
import { swinBlock } from '../swin/block.js';
import { reduceCells } from '../swin/patch-merging.js';
import { blockName, denseSwinMacs, mergingName, swinStagesParams } from '../swin/stages.js';
import { permuteTokens, windowAttention } from '../swin/window-attention.js';
import { tapName, type VitEncoderOptions } from '../vit/encoder.js';
import { expectedLoads, plannedLoad, sparseSwinMacs } from './cost.js';
import { attentionInGroups, auxOf, siteTensors, sparseAttention, takeOfEach } from './group-attention.js';
import { siteOf, sparseSites, type SparseSite } from './sites.js';
import { coarsestGrid, sparseSwinStages, type SparseStage, type SparseStagesOptions } from './stages.js';
import { CELL_PLACES, CELLS, inverseOf } from './tables.js';
import { wholeGrid, wholeWindows, windowsTile } from './whole-grid.js';
import type { GroupSize } from './windows.js';

export interface SparseSwinOptions extends SparseStagesOptions {
  readonly embedPatches: VitEncoderOptions['embedPatches'];
  /** How windows are put together. With `compact`, attention alone runs on groups, else whole blocks do. The result is the same. */
  readonly grouping: GroupSize;
  /** Tokens are read behind the last stage, through `norm`, or behind every stage and its merging, through `norm.0`, `norm.1`, ... Default `last`. */
  readonly readings?: 'last' | 'stages';
}

/** Prefix of the encoder's parameters in the released codes. */
const PREFIX = 'encoder.';

/** A place where tokens are read. */
interface Reading {
  readonly name: string;
  /** Its norm's parameters. */
  readonly norm: string;
  readonly stage: SparseStage;
  /** The stage whose tokens leave here: the next one, behind a merging. */
  readonly behind: SparseStage;
}

/**
 * A Swin transformer on visible patches alone. One token of its last stage is a unit of the mask, so that every merged
 * cell is visible or hidden as a whole; groups of tokens and their relative positions come as `aux` arrays of the plan
 * (see `sparseTables`), one plan for the whole batch. Plans that show every cell need none: their blocks run on whole windows,
 * which gives the same numbers, or, where windows do not tile the grids, on groups of their own. Features have a row for each
 * visible unit: its tokens side by side, in raster order.
 * Source: released GreenMIM (arXiv:2205.13515) and the Swin of LocalMIM (arXiv:2303.05251), with the parameter names of their state dicts.
 * @throws ConfigError if sizes do not fit.
 */
export function sparseSwinEncoder(options: SparseSwinOptions): Encoder {
  const { image, patch, grouping } = options;
  const stages = sparseSwinStages(options);
  const grid = coarsestGrid(stages);
  const cells = cellsOf(grid);
  const readings = readingsOf(stages, options.readings ?? 'last');
  const tiled = windowsTile(stages);
  const cost = { stages, rule: grouping, wholeBlocks: grouping !== 'compact' };

  /** Blocks and mergings in the mean over masks. */
  const expectedMacs = (visible: number): number => {
    const loads = expectedLoads(cost, visible);
    return sparseSwinMacs(cost, visible, ({ name }) => loads.get(name) ?? { slots: 0, products: 0 });
  };

  return {
    grid,
    features: Object.fromEntries(
      readings.map(({ name, behind: { side, width } }): [string, FeatureSpec] => [name, { width: side ** 2 * width, cells: 'visible', cls: false }]),
    ),
    output: tapName(stages.length - 1, stages.length),
    trunk: { architecture: { kind: 'swin', patch, width: options.width, depths: options.depths, heads: options.heads, window: options.window, mlpRatio: options.mlpRatio }, params: (params) => trunkParams(params, PREFIX) },
    params: () => encoderParams(options, stages, readings),
    encode(images_BHWC, plan, params) {
      const whole = plan.counts.visible === cells;
      const seen = whole ? wholeGrid(plan, stages) : plan;
      const x = part('patch', () => embed(images_BHWC, seen, params, options));
      const outputs = sparseSwin(x, seen, params, { stages, grouping, wholeWindows: whole && tiled });
      return Object.fromEntries(
        readings.map(({ name, norm, stage, behind }) => [name, unitRows(layerNorm(outputs[stage.index] as Tensor2D, params, norm), plan, behind)]),
      );
    },
    macs({ visible }, plan): MacParts {
      const patches = cellsOf((stages[0] as SparseStage).grid);
      const embedded = options.embedPatches === 'all' ? patches : (patches * visible) / cells;
      const blocks = plan?.aux === undefined ? expectedMacs : (count: number): number => sparseSwinMacs(cost, count, (site) => plannedLoad(site, plan));
      return {
        patch: patchEmbedMacs(embedded, patchValues(patch, image.channels), options.width),
        encoder: visible === cells && tiled ? denseSwinMacs(stages) : blocks(visible),
      };
    },
  };
}

function readingsOf(stages: readonly SparseStage[], where: 'last' | 'stages'): Reading[] {
  const all = stages.map((stage, place): Reading => ({
    name: tapName(place, stages.length),
    norm: where === 'last' ? `${PREFIX}norm` : `${PREFIX}norm.${place}`,
    stage,
    behind: stages[place + 1] ?? stage,
  }));
  return where === 'last' ? all.slice(-1) : all;
}

/** Patch embedding of the plan's patches, and its norm. @returns [B * tokens, C] */
function embed(images_BHWC: Tensor4D, { batch, aux }: PlanTensors, params: Params, { patch, embedPatches }: SparseSwinOptions): Tensor2D {
  const patches = patchify(images_BHWC, patch);
  const take = (rows: Tensor2D): Tensor2D => takeOfEach(rows, batch, auxOf(aux, CELLS), auxOf(aux, CELL_PLACES));
  const project = (rows: Tensor2D): Tensor2D => linear(rows, params, `${PREFIX}patch_embed.proj`);
  return layerNorm(embedPatches === 'visible' ? project(take(patches)) : take(project(patches)), params, `${PREFIX}patch_embed.norm`);
}

export interface SparseRun {
  readonly stages: readonly SparseStage[];
  readonly grouping: GroupSize;
  /** Every cell is visible, and blocks run on whole windows instead of groups. */
  readonly wholeWindows: boolean;
}

/**
 * All stages on visible tokens.
 * @param x_MC [B * n, C], in the order of `visibleCells` @returns what leaves each stage and its merging, [B * n, C] of the next stage
 */
export function sparseSwin(x_MC: Tensor2D, plan: PlanTensors, params: Params, run: SparseRun): Tensor2D[] {
  const sites = sparseSites(run.stages, plan.counts.visible);
  const blocks = new Map(sites.map((site) => [site, blockAt(site, plan, params, run)]));
  let x = x_MC;
  return run.stages.map((stage) => {
    for (let j = 0; j < stage.depth; j++) x = (blocks.get(siteOf(sites, stage, j)) as NamedBlock)(x, blockName(PREFIX, stage, j));
    // The four tokens of a cell stand side by side already.
    if (stage.merges) x = reduceCells(tf.reshape(x, [x.shape[0] / 4, 4 * stage.width]), params, mergingName(PREFIX, stage), VIT_EPSILON);
    return x;
  });
}

/** A block of a site; `name` is that of its parameters. */
type NamedBlock = (x_MC: Tensor2D, name: string) => Tensor2D;

function blockAt(site: SparseSite, plan: PlanTensors, params: Params, { grouping, wholeWindows: whole }: SparseRun): NamedBlock {
  const { batch } = plan;
  const { heads } = site.stage;
  const block = (x: Tensor2D, name: string, attend: (normed: Tensor2D, prefix: string) => Tensor2D): Tensor2D =>
    swinBlock(x, params, name, (normed) => attend(normed, `${name}.attn`), undefined, VIT_EPSILON);
  if (whole) {
    const windows = wholeWindows(site);
    return (x, name) => block(x, name, (normed, prefix) => windowAttention(normed, params, prefix, { batch, heads, windows }));
  }
  const tables = siteTensors(site, plan.aux);
  const { slots, places } = tables;
  const size = { batch, heads, window: site.window };
  if (grouping === 'compact' || slots === undefined || places === undefined) {
    return (x, name) => block(x, name, (normed, prefix) => sparseAttention(normed, params, prefix, tables, size));
  }
  return (x, name) => {
    const inGroups = block(takeOfEach(x, batch, slots, places), name, (normed, prefix) => attentionInGroups(normed, params, prefix, tables, size));
    return takeOfEach(inGroups, batch, places, slots);
  };
}

/** Tokens of each unit side by side, in raster order. @param rows_MC as carried @returns [B, V, side^2 C] */
function unitRows(rows_MC: Tensor2D, { batch, counts: { visible } }: PlanTensors, { side, inside, width }: SparseStage): Tensor3D {
  const area = side ** 2;
  const places = Int32Array.from(inside.map(([row, column]) => row * side + column));
  const raster = side === 1 ? rows_MC : permuteTokens(tf.reshape(rows_MC, [batch * visible, area, width]), inverseOf(places, area), places);
  return tf.reshape(raster, [batch, visible, area * width]);
}

/** Official names and order. Every linear map starts as in MAE, tables of relative positions as in Swin. */
function encoderParams({ patch, image, width }: SparseSwinOptions, stages: readonly SparseStage[], readings: readonly Reading[]): ParamSpecs {
  const startedAs = (init: Initializer, specs: ParamSpecs): ParamSpecs =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.layout.kind === 'linear' ? { ...spec, init } : spec]));
  return {
    ...patchEmbedParams(`${PREFIX}patch_embed.proj`, patch, image.channels, width),
    ...normParams(`${PREFIX}patch_embed.norm`, width),
    ...startedAs(xavierUniform, swinStagesParams(PREFIX, stages)),
    ...(Object.assign({}, ...readings.map(({ norm, behind }) => normParams(norm, behind.width))) as ParamSpecs),
  };
}
