import { ConfigError, type PlanCounts } from '@mimlab/core';

/** How many masked tokens are thrown. */
export interface ThrowRule {
  /** γ, the throwing ratio. */
  readonly throw: number;
  /** What γ is a fraction of: all tokens of the grid (as the paper counts), or the masked ones. */
  readonly throwBase: 'all' | 'masked';
  readonly throwRounding: 'floor' | 'round' | 'ceil';
}

/** Products such as 0.29 * 100 come out a hair below the whole number they mean. */
const SLACK = 1e-9;

const ROUND = {
  floor: (count: number) => Math.floor(count + SLACK),
  round: (count: number) => Math.round(count + SLACK),
  ceil: (count: number) => Math.ceil(count - SLACK),
} as const;

/**
 * The one counting rule: T = round(γ * base) of the M masked tokens are thrown, K = M - T retained
 * (PR-MIM specification, section 2.2; at γ 0.5 and masking ratio 0.75 half of all tokens are thrown, a quarter retained).
 * Nothing is clamped in silence.
 *
 * @param visible V, tokens the encoder sees
 * @param masked M, all hidden tokens
 * @throws ConfigError naming γ, m and the counts if more tokens would be thrown than are masked, or none retained.
 */
export function throwCounts(visible: number, masked: number, rule: ThrowRule): PlanCounts {
  const cells = visible + masked;
  const base = rule.throwBase === 'all' ? cells : masked;
  const thrown = ROUND[rule.throwRounding](rule.throw * base);
  const retained = masked - thrown;
  if (retained >= 1) return { visible, retained, thrown };
  const ratio = Number((masked / cells).toFixed(4));
  const counts = `γ = ${rule.throw} throws ${thrown} tokens (of ${base} ${rule.throwBase === 'all' ? 'in the grid' : 'masked'}), m = ${ratio} masks ${masked} of ${cells}`;
  throw new ConfigError(retained < 0 ? `more tokens are thrown than masked: ${counts}` : `no masked token is retained: ${counts}`, {
    place: 'pr-mim.throw',
    remedy: `At least one masked token must be retained: lower 'throw'${rule.throwBase === 'all' ? ` (it counts all tokens, so it must stay below m)` : ''} or raise the masking ratio.`,
  });
}
