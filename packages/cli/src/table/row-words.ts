import type { PaperRow } from './paper-tables.js';

/** How rows speak of what they switch on: `MAE + PR-MIM`. */
export function methodWords({ framework, components: { progressive, sampler } }: PaperRow): string {
  if (sampler === 'none' || sampler === 'unknown') return framework;
  if (sampler === 'amt') return `${framework} + AMT`;
  if (progressive) return `${framework} + ${sampler === 'furthest' ? 'PR-MIM' : `progressive, ${sampler}`}`;
  return `${framework}, partial${sampler === 'random' ? '' : `, ${sampler}`}`;
}

/** A whole row in words: `MAE + PR-MIM, ViT-B/16, 100 epochs, throw 50`. */
export function rowLabel(row: PaperRow): string {
  const { aggregator, kernel } = row.components;
  const design = aggregator === undefined ? [] : [`${aggregator}${kernel === undefined ? '' : ` ${kernel}x${kernel}`}`];
  return [methodWords(row), row.arch, `${row.epochs} epochs`, `throw ${row.throw}`, ...design].join(', ');
}
