import { distance } from 'fastest-levenshtein';

/**
 * The candidate a misspelt word most likely means, or undefined when none is near. Case does not count; a candidate
 * counts as near when at most a third of its letters (and never fewer than two) would have to change.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const steps = distance(word.toLowerCase(), candidate.toLowerCase());
    if (steps < least && steps <= Math.max(2, Math.floor(candidate.length / 3)) && steps < candidate.length) {
      best = candidate;
      least = steps;
    }
  }
  return best;
}

/** `; did you mean 'x'?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? '' : `; did you mean '${near}'?`;
}
