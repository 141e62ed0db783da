import { describe, expect, it } from 'vitest';
import { overviewSection } from './overview-section.js';

const A = { letter: 'A', name: 'first' };
const B = { letter: 'B', name: 'second' };
const row = (name: string, text: string, aside = '', numeric = true) => ({ name, numeric, cells: [{ text, aside }] });

describe('the table of quantities', () => {
  it('sets numbers and parts of the quantity above apart', () => {
    const { markup } = overviewSection([A], [row('Loss', '1'), row('of thrown tokens', '2'), row('Engine', 'graph', '', false)], []);
    expect(markup).toContain('<tr class="numeric"><th scope="row">Loss</th>');
    expect(markup).toContain('<tr class="numeric"><th scope="row" class="inner">of thrown tokens</th>');
    expect(markup).toContain('<tr><th scope="row">Engine</th>');
  });

  it('speaks of small numbers where runs are compared alone', () => {
    expect(overviewSection([A, B], [], []).markup).toContain('Small numbers are relative to run A.');
    expect(overviewSection([A], [], []).markup).not.toContain('Small numbers');
  });

  it('has no small number where there is none', () => {
    expect(overviewSection([A], [row('Loss', '1')], []).markup).not.toContain('<small>');
  });
});

describe('the keys that differ', () => {
  const keys = (count: number, lacking: boolean) => Array.from({ length: count }, (_, at) => ({ key: `k${at}`, values: [at, lacking ? undefined : at + 1] }));

  it('stand in one table up to sixteen', () => {
    expect(overviewSection([A, B], [], [...keys(8, false), ...keys(8, true)]).markup).not.toContain('<details>');
    expect(overviewSection([A, B], [], [...keys(9, false), ...keys(8, true)]).markup).toContain('<summary>8 keys that only some of the runs have</summary>');
  });

  it('are not folded away where all runs have them, or none', () => {
    for (const lacking of [true, false]) expect(overviewSection([A, B], [], keys(20, lacking)).markup).not.toContain('<details>');
  });

  it('are shown as text, whatever their values hold', () => {
    expect(overviewSection([A, B], [], [{ key: 'data.path', values: ['<script>', ['a', { b: null }]] }]).markup).toContain('<code>&lt;script&gt;</code></td><td><code>[a, { b: null }]</code>');
  });
});
