import { DataError } from '@mimlab/core';

/**
 * Which of these sizes fill the capacity best: a subset-sum knapsack, solved exactly. Among equally full choices the
 * one is taken that leaves later items out whenever it can; the official groups follow from this rule.
 * @returns positions in `sizes`, ascending
 */
export function bestFill(capacity: number, sizes: readonly number[]): number[] {
  const columns = capacity + 1;
  // best[i * columns + c]: the largest total up to c that the first i items can make.
  const best = new Int32Array((sizes.length + 1) * columns);
  sizes.forEach((size, i) => {
    for (let c = 0; c <= capacity; c++) {
      const without = best[i * columns + c] as number;
      best[(i + 1) * columns + c] = size > c ? without : Math.max(without, size + (best[i * columns + c - size] as number));
    }
  });
  const chosen: number[] = [];
  let room = capacity;
  let needed = best[sizes.length * columns + capacity] as number;
  for (let i = sizes.length; i > 0 && needed > 0; i--) {
    if (best[(i - 1) * columns + room] === needed) continue;
    const size = sizes[i - 1] as number;
    chosen.unshift(i - 1);
    needed -= size;
    room -= size;
  }
  return chosen;
}

/**
 * Puts windows together into groups of at most `capacity` tokens: the fullest group that can be made of the remaining
 * windows, again and again. Each group is found exactly; the whole is a greedy answer to a bin-packing problem (which
 * is NP-hard), as in the released GreenMIM (arXiv:2205.13515; specification, section 5.4).
 * @param occupancies tokens of each window, 1 .. capacity
 * @returns window indices, ascending inside a group; fullest groups first
 * @throws DataError naming the window that is empty or fits into no group
 */
export function groupWindows(capacity: number, occupancies: readonly number[]): number[][] {
  const misfit = occupancies.findIndex((tokens) => !Number.isInteger(tokens) || tokens < 1 || tokens > capacity);
  if (misfit >= 0) {
    throw new DataError(`a window of ${occupancies[misfit]} tokens cannot be put into groups of ${capacity}`, {
      place: `window ${misfit}`,
      remedy: 'List windows that hold a token, and give groups room for the fullest of them.',
    });
  }
  const groups: number[][] = [];
  let remaining = occupancies.map((_, window) => window);
  while (remaining.length > 0) {
    const picked = bestFill(capacity, remaining.map((window) => occupancies[window] as number));
    groups.push(picked.map((position) => remaining[position] as number));
    const taken = new Set(picked);
    remaining = remaining.filter((_, position) => !taken.has(position));
  }
  return groups;
}

/** Groups of windows that were made for one size. */
export interface SizedGroups {
  readonly size: number;
  readonly groups: readonly (readonly number[])[];
}

/**
 * Groups of that size at which they cost least in all, out of every size from the fullest window to all tokens; the
 * smallest of equally cheap ones. The released GreenMIM does not search; its paper does (specification, section 5.4).
 * @param costOf what a group of `size` slots costs, more for each slot the larger it is
 */
export function cheapestGroups(occupancies: readonly number[], costOf: (size: number) => number): SizedGroups {
  const tokens = occupancies.reduce((sum, count) => sum + count, 0);
  const fullest = Math.max(...occupancies);
  let best: SizedGroups = { size: fullest, groups: groupWindows(fullest, occupancies) };
  let least = best.groups.length * costOf(fullest);
  // Beyond some size groups without a single empty slot would cost more than the best so far.
  for (let size = fullest + 1; size <= tokens && (tokens / size) * costOf(size) < least; size++) {
    const groups = groupWindows(size, occupancies);
    const cost = groups.length * costOf(size);
    if (cost < least) [best, least] = [{ size, groups }, cost];
  }
  return best;
}
