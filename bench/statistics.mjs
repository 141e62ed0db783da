// Figures of repeated measurements.

const sorted = (values) => [...values].sort((a, b) => a - b);

/** Value below which the fraction `q` of the sorted values lies, interpolated between neighbours. */
export function quantile(values, q) {
  if (values.length === 0) throw new RangeError('no values to take a quantile of');
  const ordered = sorted(values);
  const place = (ordered.length - 1) * q;
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return ordered[below] + (ordered[above] - ordered[below]) * (place - below);
}

export const median = (values) => quantile(values, 0.5);

/** Median, quartiles and range. */
export const summary = (values) => ({
  median: median(values),
  quartiles: [quantile(values, 0.25), quantile(values, 0.75)],
  range: [Math.min(...values), Math.max(...values)],
});

/**
 * What one peer took over what the other took, round by round: a machine that slows down for a while slows both, so it
 * cancels within a round.
 */
export function ratios(ofRounds, referenceOfRounds) {
  if (ofRounds.length !== referenceOfRounds.length) throw new RangeError(`${ofRounds.length} rounds beside ${referenceOfRounds.length}`);
  return ofRounds.map((value, round) => value / referenceOfRounds[round]);
}

/** Median and spread of those ratios. */
export const ratioSummary = (ofRounds, referenceOfRounds) => summary(ratios(ofRounds, referenceOfRounds));
