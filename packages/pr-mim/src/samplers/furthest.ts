import type { PickContext, Picker } from './picker.js';

/**
 * `max-min`: take the token whose nearest retained token is furthest away (farthest-point sampling, the reading of the
 * paper). `max-sum`: take the one with the largest sum of distances; it crowds the border and is for ablation only.
 */
export type Criterion = 'max-min' | 'max-sum';

export interface FurthestProblem {
  /** Columns of the grid. */
  readonly columns: number;
  /** Cell ids to choose from, each once. Among equally far ones the lowest position in this list is taken. */
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

/** Marks a token that is taken already, and a cell that is none of the masked ones; every free token is further away. */
const TAKEN = -1;
/** Squared distance of a token that nothing has come near yet. */
const UNREACHED = 0x7fffffff;

/**
 * Greedy furthest sampling (PR-MIM specification, section 6.2). Squared distances on the grid are whole numbers, so
 * `max-min` is exact.
 */
export function selectFurthest({ criterion = 'max-min', ...problem }: FurthestProblem): FurthestSelection {
  return criterion === 'max-min' ? selectByNearest(problem) : selectBySum(problem);
}

/**
 * `max-min`. Distances only shrink, which saves most of the work of looking at every token for every token taken: a
 * new one changes nothing beyond the greatest distance that is left, and among tokens at that distance the search goes on
 * behind the last one found. Looks at all tokens once for each value that the distances of selection take.
 */
function selectByNearest({ columns, masked, keep, first, anchors = new Int32Array(0) }: FurthestProblem): FurthestSelection {
  let last = 0;
  for (const cell of masked) if (cell > last) last = cell;
  const rows = Math.floor(last / columns) + 1;
  const scores = new Int32Array(rows * columns).fill(TAKEN);
  for (const cell of masked) scores[cell] = UNREACHED;

  /** Takes `cell` into the distances of the free tokens, none of which exceeds `bound`. */
  const approach = (cell: number, bound: number): void => {
    const row = Math.floor(cell / columns);
    const column = cell - row * columns;
    const reach = Math.floor(Math.sqrt(bound));
    const top = Math.max(0, row - reach);
    const bottom = Math.min(rows - 1, row + reach);
    const left = Math.max(0, column - reach);
    const right = Math.min(columns - 1, column + reach);
    for (let r = top; r <= bottom; r++) {
      const down = (r - row) * (r - row);
      for (let c = left, at = r * columns + left; c <= right; c++, at++) {
        const squared = down + (c - column) * (c - column);
        if (squared < (scores[at] as number)) scores[at] = squared;
      }
    }
  };

  for (const cell of anchors) approach(cell, UNREACHED);
  const positions = new Int32Array(keep);
  const gains = new Float64Array(keep);
  let greatest = UNREACHED;
  // The last position taken at the greatest distance, and how many there may be behind it.
  let current = -1;
  let equals = 0;
  for (let taken = 0; taken < keep; taken++) {
    if (taken === 0 && first !== undefined) current = first;
    else {
      const next = equals > 0 ? positionOf(greatest, scores, masked, current + 1) : -1;
      equals--;
      if (next >= 0) current = next;
      else {
        greatest = TAKEN;
        for (let i = 0; i < masked.length; i++) {
          const score = scores[masked[i] as number] as number;
          if (score < greatest) continue;
          equals = score === greatest ? equals + 1 : 0;
          if (score > greatest) current = i;
          greatest = score;
        }
      }
    }
    const cell = masked[current] as number;
    const gain = scores[cell] as number;
    positions[taken] = current;
    gains[taken] = gain === UNREACHED ? Infinity : gain;
    scores[cell] = TAKEN;
    approach(cell, greatest);
  }
  return { positions, gains };
}

/** The first position in `masked`, from `from` on, whose score is `wanted`; -1 if there is none. */
function positionOf(wanted: number, scores: Int32Array, masked: Int32Array, from: number): number {
  for (let i = from; i < masked.length; i++) if (scores[masked[i] as number] === wanted) return i;
  return -1;
}

/** `max-sum`: every token taken moves all the others. O(keep * masked). */
function selectBySum({ columns, masked, keep, first, anchors = new Int32Array(0) }: FurthestProblem): FurthestSelection {
  const rows = masked.map((cell) => Math.floor(cell / columns));
  const cols = masked.map((cell) => cell % columns);
  const scores = new Float64Array(masked.length);
  /** Takes `cell` into the sums of the free tokens; the position of the largest, lowest first. */
  const include = (cell: number): number => {
    const row = Math.floor(cell / columns);
    const column = cell % columns;
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
  };

  let current = 0;
  for (const cell of anchors) current = include(cell);
  if (first !== undefined) current = first;
  const positions = new Int32Array(keep);
  const gains = new Float64Array(keep);
  for (let taken = 0; taken < keep; taken++) {
    positions[taken] = current;
    gains[taken] = scores[current] as number;
    scores[current] = TAKEN;
    current = include(masked[current] as number);
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
