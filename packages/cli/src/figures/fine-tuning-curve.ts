import type { TopLevelSpec } from 'vega-lite';
import type { FineTuningResults } from './figure-data.js';
import { FIGURE_CONFIG, SCHEMA, seriesStyles } from './style.js';

/** Figure 6: accuracy against how many of the encoder's last blocks were fine-tuned. */
export function fineTuningFigure({ rows, title }: FineTuningResults): TopLevelSpec {
  const names = [...new Set(rows.map(({ series }) => series))];
  const styles = seriesStyles(names);
  const values = rows.map(({ series, blocks, accuracy: { mean, spread } }) => ({ series, blocks, mean, ...(spread === undefined ? {} : { low: mean - spread, high: mean + spread }) }));
  const bars = values.filter((value) => 'low' in value);
  const counts = [...new Set(rows.map(({ blocks }) => blocks))].sort((a, b) => a - b);
  const x = { field: 'blocks', type: 'quantitative', title: 'blocks fine-tuned (0: linear probing)', scale: { domain: [Math.min(0, ...counts), Math.max(...counts)], nice: false, padding: 12 }, axis: { values: counts, grid: false, format: '~g' } };
  const y = (field: string): object => ({ field, type: 'quantitative', title: 'top-1 accuracy (%)', scale: { zero: false, padding: 12 }, axis: { tickCount: 6 } });
  const styled = (range: readonly string[]): object => ({ field: 'series', type: 'nominal', title: null, scale: { domain: names, range }, legend: { orient: 'top' } });
  const colour = styled(styles.map((style) => style.colour));
  const spec = {
    $schema: SCHEMA,
    config: FIGURE_CONFIG,
    width: 420,
    height: 280,
    title: { text: 'Partial fine-tuning', ...subtitleOf([title, bars.length > 0 ? 'Bars: ± spread over seeds' : undefined]) },
    layer: [
      ...(bars.length === 0 ? [] : [{ data: { values: bars }, mark: { type: 'rule', strokeWidth: 1.5 }, encoding: { x, y: y('low'), y2: { field: 'high' }, color: colour } }]),
      { data: { values }, mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y: y('mean'), color: colour } },
      { data: { values }, mark: { type: 'point', filled: true, size: 80, opacity: 1 }, encoding: { x, y: y('mean'), color: colour, shape: styled(styles.map((style) => style.shape)) } },
    ],
  };
  return spec as unknown as TopLevelSpec;
}

/** Lines below a title; none leaves it alone. */
export function subtitleOf(lines: readonly (string | undefined)[]): { readonly subtitle?: string[] } {
  const given = lines.filter((line) => line !== undefined);
  return given.length === 0 ? {} : { subtitle: given };
}
