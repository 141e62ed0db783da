import type { Grid } from '@mimlab/core';
import { cheapestGroups, groupWindows } from './grouping.js';

/** The windows that attention is limited to in some blocks of a stage: squares of `window` tokens a side, moved by `shift`. */
export interface Windowing {
  readonly grid: Grid;
  readonly window: number;
  /** 0 in plain blocks. */
  readonly shift: number;
}

/** Of every token: the window it lies in, and its place inside (row * window + column). */
export interface WindowPlaces {
  readonly windows: Int32Array;
  readonly positions: Int32Array;
}

/**
 * Finds the window of every token. Nothing is rolled: windows at the edges are simply smaller, which is what Swin's
 * cyclic shift and its mask come to.
 * @param cells token ids on the stage's grid, row * columns + column
 */
export function windowPlaces(cells: Int32Array, { grid, window, shift }: Windowing): WindowPlaces {
  const offset = (window - shift) % window;
  const windowsPerRow = Math.ceil((grid.columns + offset) / window);
  const windows = new Int32Array(cells.length);
  const positions = new Int32Array(cells.length);
  cells.forEach((cell, token) => {
    const row = Math.floor(cell / grid.columns) + offset;
    const column = (cell % grid.columns) + offset;
    windows[token] = Math.floor(row / window) * windowsPerRow + Math.floor(column / window);
    positions[token] = (row % window) * window + (column % window);
  });
  return { windows, positions };
}

/** How many windows the whole grid is cut into. */
export function windowCount({ grid, window, shift }: Windowing): number {
  const offset = (window - shift) % window;
  return Math.ceil((grid.rows + offset) / window) * Math.ceil((grid.columns + offset) / window);
}

/** Tokens that share sequences of one length. */
export interface TokenGroups {
  /** Length that the groups were made for. */
  readonly size: number;
  /** Tokens of each group, window by window. */
  readonly groups: readonly (readonly number[])[];
}

/**
 * `released`: groups are as large as the fullest window. `compact`: as large as a full window's area, so that fewer are
 * needed. `searched`: of the size at which they cost least. Attention stays inside windows in any case.
 */
export type GroupSize = 'released' | 'compact' | 'searched';

/**
 * Puts the windows that hold tokens together into groups.
 * @param windows window of every token
 * @param costOf `searched`: what a group of so many slots costs; as much as slots unless told
 */
export function groupTokens(windows: Int32Array, area: number, rule: GroupSize, costOf = (size: number): number => size): TokenGroups {
  const members = new Map<number, number[]>();
  windows.forEach((window, token) => {
    const tokens = members.get(window);
    if (tokens === undefined) members.set(window, [token]);
    else tokens.push(token);
  });
  const occupied = [...members.keys()].sort((a, b) => a - b).map((window) => members.get(window) as number[]);
  const occupancies = occupied.map((tokens) => tokens.length);
  const fixed = rule === 'compact' ? area : Math.max(...occupancies);
  const { size, groups } = rule === 'searched' ? cheapestGroups(occupancies, costOf) : { size: fixed, groups: groupWindows(fixed, occupancies) };
  return { size, groups: groups.map((group) => group.flatMap((window) => occupied[window] as number[])) };
}
