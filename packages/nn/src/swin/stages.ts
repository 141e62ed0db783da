import { cellsOf, ConfigError, type Grid, type Params, type ParamSpecs } from '@mimlab/core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { patchMergingMacs, swinBlockMacs } from '../cost/swin.js';
import { checkHeads } from '../layers/attention.js';
import { mlpWidth } from '../params/specs.js';
import type { ResidualRule } from '../layers/residual-rule.js';
import { swinBlock, swinBlockParams } from './block.js';
import { mergePatches, patchMergingParams } from './patch-merging.js';
import { windowAttention } from './window-attention.js';
import { blockWindow, windowsOf } from './windows.js';

export interface SwinOptions {
  /** Grid of the patches: what the first stage works on. */
  readonly grid: Grid;
  /** Width of the first stage; every merging doubles it. */
  readonly width: number;
  /** Blocks of each stage, and their heads. */
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  /** Side of the attention windows in tokens. */
  readonly window: number;
  readonly mlpRatio: number;
  /** Windows may be cut off at the edges of a grid: whoever attends token by token can do with that. Default false. */
  readonly cutWindows?: boolean;
}

/** One stage: blocks on a grid, then (but for the last) patch merging. */
export interface SwinStage {
  readonly index: number;
  readonly grid: Grid;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  /** Configured side of the windows; the side in use is never larger than the grid. */
  readonly window: number;
  /** Number of its first block among all. */
  readonly firstBlock: number;
  readonly merges: boolean;
}

/**
 * The stages of a Swin transformer.
 * @throws ConfigError if a grid cannot be cut into windows or halved, or heads do not divide a width.
 */
export function swinStages({ grid, width, depths, heads, window, mlpRatio, cutWindows = false }: SwinOptions): SwinStage[] {
  if (depths.length !== heads.length) {
    throw new ConfigError(`${depths.length} stages have ${heads.length} numbers of heads`, { place: 'heads', remedy: 'Give one number for each stage.' });
  }
  let firstBlock = 0;
  return depths.map((depth, index) => {
    const factor = 2 ** index;
    const own: Grid = { rows: grid.rows / factor, columns: grid.columns / factor };
    const stage: SwinStage = {
      index,
      grid: own,
      width: width * factor,
      depth,
      heads: heads[index] as number,
      mlpRatio,
      window,
      firstBlock,
      merges: index < depths.length - 1,
    };
    firstBlock += depth;
    checkHeads(stage.width, stage.heads);
    const { side } = blockWindow(own, window, 0);
    for (const sides of [own.rows, own.columns]) {
      const uncut = !cutWindows && sides % side !== 0;
      if (uncut || (stage.merges && sides % 2 !== 0)) {
        const what = uncut ? `cut into windows of ${side}` : 'halved by patch merging';
        throw new ConfigError(`stage ${index} works on a grid of ${own.rows} x ${own.columns}, which cannot be ${what}`, {
          place: 'window',
          remedy: 'Choose image, patch and window so that the sides of every stage are multiples of the window and even.',
        });
      }
    }
    return stage;
  });
}

/** Name of a stage, block or merging below `prefix`: `PREFIXlayers.0`, `PREFIXlayers.0.blocks.1`, `PREFIXlayers.0.downsample`. */
export const stageName = (prefix: string, { index }: Pick<SwinStage, 'index'>): string => `${prefix}layers.${index}`;
export const blockName = (prefix: string, stage: Pick<SwinStage, 'index'>, block: number): string => `${stageName(prefix, stage)}.blocks.${block}`;
export const mergingName = (prefix: string, stage: Pick<SwinStage, 'index'>): string => `${stageName(prefix, stage)}.downsample`;

/** Parameters of all stages under the official names, behind `prefix` (`encoder.`, say). */
export function swinStagesParams(prefix: string, stages: readonly SwinStage[]): ParamSpecs {
  const specs: Record<string, ParamSpecs[string]> = {};
  for (const stage of stages) {
    const { side } = blockWindow(stage.grid, stage.window, 0);
    for (let j = 0; j < stage.depth; j++) Object.assign(specs, swinBlockParams(blockName(prefix, stage, j), { ...stage, window: side }));
    if (stage.merges) Object.assign(specs, patchMergingParams(mergingName(prefix, stage), stage.width));
  }
  return specs;
}

export interface SwinRun {
  readonly batch: number;
  /** Prefix of the parameters' names. */
  readonly prefix: string;
  /** What happens to a residual branch; `block` counts through all stages. */
  readonly residual?: (block: number) => ResidualRule;
  /** Epsilon of every layer norm; that of the official Swin models unless given. */
  readonly epsilon?: number;
}

/** Block `j` of a stage on whole grids. @param x_MC [B * N, C], raster order */
export function denseSwinBlock(x_MC: Tensor2D, params: Params, stage: SwinStage, j: number, { batch, prefix, residual, epsilon }: SwinRun): Tensor2D {
  const { side, shift } = blockWindow(stage.grid, stage.window, j);
  const name = blockName(prefix, stage, j);
  const windows = windowsOf(stage.grid, side, shift);
  const attend = (normed_MC: Tensor2D): Tensor2D => windowAttention(normed_MC, params, `${name}.attn`, { batch, heads: stage.heads, windows });
  return swinBlock(x_MC, params, name, attend, residual?.(stage.firstBlock + j), epsilon);
}

/** All stages on whole grids, one after the other. @returns what leaves the blocks of each stage, before its merging: [B * N_s, C_s] */
export function denseSwin(x_MC: Tensor2D, params: Params, stages: readonly SwinStage[], run: SwinRun): Tensor2D[] {
  let x = x_MC;
  return stages.map((stage) => {
    for (let j = 0; j < stage.depth; j++) x = denseSwinBlock(x, params, stage, j, run);
    const out = x;
    if (stage.merges) x = mergePatches(x, params, mergingName(run.prefix, stage), stage.grid, run.epsilon);
    return out;
  });
}

/** Multiply-accumulates of all stages on whole grids, mergings included. */
export function denseSwinMacs(stages: readonly SwinStage[]): number {
  return stages.reduce((sum, { grid, width, depth, window, mlpRatio, merges }) => {
    const cells = cellsOf(grid);
    const { side } = blockWindow(grid, window, 0);
    const blocks = depth * swinBlockMacs(cells, width, side, mlpWidth(width, mlpRatio) / width);
    return sum + blocks + (merges ? patchMergingMacs(cells, width) : 0);
  }, 0);
}
