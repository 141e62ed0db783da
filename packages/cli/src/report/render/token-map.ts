import type { TokenPlan } from '@mimlab/core';
import { html, type Markup } from './html.js';

export const ROLES = ['visible', 'retained', 'thrown'] as const;
export type Role = (typeof ROLES)[number];

/** The cells of a list as one path, one unit a cell; neighbours in a row are joined. */
export function cellPath(cells: Int32Array, columns: number): string {
  const ordered = [...cells].sort((a, b) => a - b);
  let path = '';
  for (let start = 0; start < ordered.length; ) {
    const first = ordered[start] as number;
    let end = start + 1;
    while (end < ordered.length && ordered[end] === first + end - start && (ordered[end] as number) % columns !== 0) end++;
    path += `M${first % columns} ${Math.floor(first / columns)}h${end - start}v1h${start - end}z`;
    start = end;
  }
  return path;
}

/** Paths of a plan by role, as the page's script exchanges them. */
export const rolePaths = (plan: TokenPlan): Readonly<Record<Role, string>> => ({
  visible: cellPath(plan.visible, plan.grid.columns),
  retained: cellPath(plan.retained, plan.grid.columns),
  thrown: cellPath(plan.thrown, plan.grid.columns),
});

/** Tints over a picture, one path a role. Hidden until asked for. */
export const roleOverlay = (plan: TokenPlan): Markup => html`<svg class="overlay" viewBox="0 0 ${plan.grid.columns} ${plan.grid.rows}" preserveAspectRatio="none" aria-hidden="true">${ROLES.map(
  (role) => html`<path class="role ${role}" data-role="${role}" d="${rolePaths(plan)[role]}" hidden=""/>`,
)}</svg>`;

/** What the encoder does not see, covered. */
export const coveredCells = (plan: TokenPlan): Markup => html`<svg class="overlay" viewBox="0 0 ${plan.grid.columns} ${plan.grid.rows}" preserveAspectRatio="none" aria-hidden="true"><path class="covered" d="${cellPath(Int32Array.of(...plan.retained, ...plan.thrown), plan.grid.columns)}"/></svg>`;
