import { describe, expect, it } from 'vitest';
import { costTable } from './flops.js';

const cost = (count: 'paper' | 'executed') => ({
  count,
  total: 3e9,
  parts: { encoder: 2e9, aggregator: 1e9 },
  unwrapped: { total: 4e9, parts: { encoder: 2e9, decoder: 2e9 } },
  ratio: 0.75,
});

describe('the table of costs', () => {
  it('has wrapped and unwrapped costs of every part side by side, a dash where there is none', () => {
    expect(costTable(cost('paper')).slice(1)).toEqual([
      'part              wrapped  unwrapped',
      'encoder            2.0000     2.0000',
      'aggregator         1.0000          -',
      'decoder                 -     2.0000',
      'total              3.0000     4.0000',
      'ratio 0.750; formula and recorded graph agree in every part',
    ]);
  });

  it('says which of the two counts it is', () => {
    expect(costTable(cost('paper'))[0]).toContain('(paper: all patches embedded, every decoder token predicted');
    expect(costTable(cost('executed'))[0]).toContain('(executed: the graph that trains)');
  });
});
