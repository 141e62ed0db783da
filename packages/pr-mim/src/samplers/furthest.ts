import type { PickContext, Picker } from './picker.js';

/**
 * `max-min`: take the token whose nearest retained token is furthest away (farthest-point sampling, the reading of the
 * paper). `max-sum`: take the one with the largest sum of distances; it crowds the border and is for ablation only.
 */
export type Criterion = 'max-min' | 'max-sum';

export interface FurthestProblem {
  /** Columns of the grid. */
  readonly columns: number;
  /** Cell ids to choose from. Among equally far ones the lowest position in this list is taken. */
  readonly masked: Int32Array;
  /** How many to choose; at most `masked.length`. */
  readonly keep: number;
  /** Position in `masked` of the first token; without it the first is chosen by distance from the anchors too. */
  readonly first?: number;
  /** Cell ids that count as chosen from the start. */
  readonly anchors?: Int32Array;
  readonly criterion?: Criterion;
}

export interface FurthestSelection {
  /** Positions in `masked`, in order of selection. */
  readonly positions: Int32Array;
  /**
   * Of each selected token at the moment it was taken: squared distance to the nearest token taken before it or anchor
   * (`max-min`), sum of distances to them (`max-sum`). Infinity, or 0 for the sum, where nothing came before.
   */
  readonly gains: Float64Array;
}

/** Marks a token that is taken already; every free one is further away than this. */
const TAKEN = -1;
/** Squared distance of a token that nothing has come near yet. */
const UNREACHED = 0x7fffffff;

type Scores = Int32Array | Float64Array;

/** Takes the token at (row, column) into the distances of the free ones; the position of the furthest of them, lowest first. */
function includeNearest(scores: Scores, rows: Int32Array, cols: Int32Array, row: number, column: number): number {
  let best = -1;
  let furthest = TAKEN;
  for (let i = 0; i < scores.length; i++) {
    let score = scores[i] as number;
    if (score === TAKEN) continue;
    const down = (rows[i] as number) - row;
    const right = (cols[i] as number) - column;
    const squared = down * down + right * right;
    if (squared < score) scores[i] = score = squared;
    if (score > furthest) {
      furthest = score;
      best = i;
    }
  }
  return best;
}

/** The same for the sum of distances. */
function includeSum(scores: Scores, rows: Int32Array, cols: Int32Array, row: number, column: number): number {
  let best = -1;
  let largest = TAKEN;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] === TAKEN) continue;
    const down = (rows[i] as number) - row;
    const right = (cols[i] as number) - column;
    const score = (scores[i] as number) + Math.sqrt(down * down + right * right);
    scores[i] = score;
    if (score > largest) {
      largest = score;
      best = i;
    }
  }
  return best;
}

/**
 * Greedy furthest sampling in O(keep * masked) time and O(masked) memory, without a distance matrix
 * (PR-MIM specification, section 6.2). Squared distances on the grid are whole numbers, so `max-min` is exact.
 */
export function selectFurthest({ columns, masked, keep, first, anchors = new Int32Array(0), criterion = 'max-min' }: FurthestProblem): FurthestSelection {
  const count = masked.length;
  const rows = new Int32Array(count);
  const cols = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const cell = masked[i] as number;
    rows[i] = Math.floor(cell / columns);
    cols[i] = cell % columns;
  }
  const nearest = criterion === 'max-min';
  const scores = nearest ? new Int32Array(count).fill(UNREACHED) : new Float64Array(count);
  const include = nearest ? includeNearest : includeSum;

  let current = 0;
  for (const cell of anchors) current = include(scores, rows, cols, Math.floor(cell / columns), cell % columns);
  if (first !== undefined) current = first;
  const positions = new Int32Array(keep);
  const gains = new Float64Array(keep);
  for (let taken = 0; taken < keep; taken++) {
    positions[taken] = current;
    const gain = scores[current] as number;
    gains[taken] = nearest && gain === UNREACHED ? Infinity : gain;
    scores[current] = TAKEN;
    current = include(scores, rows, cols, rows[current] as number, cols[current] as number);
  }
  return { positions, gains };
}

export interface FurthestOptions {
  readonly criterion: Criterion;
  /** Whether visible tokens count as chosen from the start. */
  readonly anchors: 'masked' | 'masked+visible';
  /** `masked-order`: the masker's random order decides. `random`: an order of its own from the sampling stream. */
  readonly tieBreak: 'masked-order' | 'random';
  /** `farthest`: the first token is chosen by its distance from the visible ones. */
  readonly firstToken: 'random' | 'farthest';
}

/** The picker for furthest sampling. The first token is drawn before the tie order, so that options do not move it. */
export function furthestPicker(options: FurthestOptions): Picker {
  return ({ grid, visible, masked, keep, random }: PickContext): Int32Array => {
    const start = options.firstToken === 'random' ? random.int(masked.length) : undefined;
    const problem = { columns: grid.columns, keep, criterion: options.criterion, ...(options.anchors === 'masked' ? {} : { anchors: visible }) };
    if (options.tieBreak === 'masked-order') {
      return selectFurthest({ ...problem, masked, ...(start === undefined ? {} : { first: start }) }).positions;
    }
    const order = random.permutation(masked.length);
    const shuffled = order.map((position) => masked[position] as number);
    const first = start === undefined ? {} : { first: order.indexOf(start) };
    return selectFurthest({ ...problem, masked: shuffled, ...first }).positions.map((place) => order[place] as number);
  };
}
