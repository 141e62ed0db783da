import { describe, expect, it } from 'vitest';
import { EngineError, totalMacs, type Composition } from '@mimlab/core';
import { flops } from '../commands/flops.js';
import { loadRunContext } from '../run/run-context.js';
import { countCost, disagreements, formulaMacs, formulaRatio, withoutWrappers, type Cost, type Count } from './count-cost.js';

const tiny = ['data.dataset=mnist', 'data.size=32', 'method.patchSize=8', 'method.width=16', 'method.depth=1', 'method.heads=2', 'method.decoderWidth=8', 'method.decoderDepth=1', 'method.decoderHeads=2'];

async function cost(preset: string, count: Count = 'paper', set: readonly string[] = []): Promise<Cost> {
  return countCost((await loadRunContext(preset, set)).composition, count);
}

describe('costs as the paper counts them', () => {
  // Table rows of the PR-MIM paper and the closed formulas behind them: G MACs an image, and the ratio to full MAE.
  it.each([
    ['mae/vit-b16-in1k', 9.781, 1],
    ['mae/vit-b16-in1k-pr25', 8.414, 0.86],
    ['mae/vit-b16-in1k-pr50', 7.082, 0.724],
    ['mae/vit-b16-in1k-pr65', 6.312, 0.645],
    ['mae/vit-l16-in1k-pr50', 18.056, 0.87],
  ])('%s costs %f G, %f of the full method', async (preset, giga, ratio) => {
    const { total, ratio: found } = await cost(preset);
    expect((total / 1e9).toFixed(3)).toBe(giga.toFixed(3));
    expect(found.toFixed(3)).toBe(ratio.toFixed(3));
  });

  it('name every part of MAE, and the aggregation of pr-mim', async () => {
    const { parts } = await cost('mae/vit-b16-in1k-pr50');
    const giga = Object.fromEntries(Object.entries(parts).map(([name, macs]) => [name, (macs / 1e9).toFixed(4)]));
    expect(giga).toEqual({ patch: '0.1156', encoder: '4.2928', decoderEmbed: '0.0197', decoder: '2.5717', aggregator: '0.0049', head: '0.0771' });
  });
});

describe('costs as executed', () => {
  it('embed visible patches alone and predict what is scored', async () => {
    const paper = await cost('mae/vit-b16-in1k');
    const executed = await cost('mae/vit-b16-in1k', 'executed');
    expect(executed.parts['patch']).toBe((paper.parts['patch'] as number) / 4);
    expect(executed.parts['head']).toBe(((paper.parts['head'] as number) * 147) / 197);
    expect(executed.parts['decoder']).toBe(paper.parts['decoder']);
  });

  it('have parts that add up to the total, wrapped or not', async () => {
    const { total, parts, unwrapped, ratio } = await cost('mae/vit-b16-in1k-pr50', 'executed', tiny);
    expect(totalMacs(parts)).toBe(total);
    expect(totalMacs(unwrapped.parts)).toBe(unwrapped.total);
    expect(ratio).toBe(total / unwrapped.total);
  });

  it('are by formula alone what they are with the graph beside it', async () => {
    for (const count of ['paper', 'executed'] as const) {
      const { composition } = await loadRunContext('mae/vit-b16-in1k-pr50', tiny);
      expect(formulaMacs(composition, count)).toEqual(countCost(composition, count).parts);
    }
  });

  it('without wrappers are those of the method alone', async () => {
    const [wrapped, bare] = [await loadRunContext('mae/vit-b16-in1k-pr50', tiny), await loadRunContext('mae/vit-b16-in1k', tiny)];
    expect(formulaMacs(withoutWrappers(wrapped.composition), 'executed')).toEqual(formulaMacs(bare.composition, 'executed'));
    expect(formulaRatio(bare.objective, bare.composition)).toBe(1);
  });

  it('agree with the ratio shown when a run starts', async () => {
    const { objective, composition } = await loadRunContext('mae/vit-b16-in1k-pr50', tiny);
    expect(formulaRatio(objective, composition)).toBe(countCost(composition, 'executed').ratio);
  });
});

describe('formula and graph', () => {
  it('are compared part by part', () => {
    expect(disagreements({ encoder: 10, head: 5 }, { encoder: 10, head: 6, '': 1 })).toEqual([
      '(outside any part): 0 by formula, 1 in the graph',
      'head: 5 by formula, 6 in the graph',
    ]);
    expect(disagreements({ encoder: 10 }, { encoder: 10 })).toEqual([]);
  });
});

describe('a formula that is wrong', () => {
  /** The tiny run with an encoder that says it costs nothing. */
  async function lying(): Promise<Composition> {
    const { composition } = await loadRunContext('mae/vit-b16-in1k-pr50', tiny);
    const { plugin, config } = composition.method;
    const hooks: typeof plugin.hooks = (given, ...rest) => {
      const own = plugin.hooks(given, ...rest);
      const { encoder } = own;
      return { ...own, encoder: (container) => ({ ...(encoder as NonNullable<typeof encoder>)(container), macs: () => ({ encoder: 0 }) }) };
    };
    return { ...composition, method: { plugin: { ...plugin, hooks }, config } };
  }

  it.each(['paper', 'executed'] as const)('is refused under the count "%s", every part of the disagreement named', async (count) => {
    const composition = await lying();
    expect(() => countCost(composition, count)).toThrow(EngineError);
    expect(() => countCost(composition, count)).toThrow(/wrapped method: formula and graph disagree about the cost.*\n {2}encoder: 0 by formula, \d+ in the graph\n {2}patch: 0 by formula, \d+ in the graph\n.*cost formula is wrong/);
  });

  it('is believed where formulas alone are asked', async () => {
    expect(formulaMacs(await lying(), 'paper')['encoder']).toBe(0);
  });
});

describe('mimlab flops', () => {
  const run = async (options: Parameters<typeof flops>[1]): Promise<string> => {
    const lines: string[] = [];
    await flops('mae/vit-b16-in1k-pr50', options, { live: false, columns: 80, out: (line) => lines.push(line), note: () => undefined, overwrite: () => undefined });
    return lines.join('\n');
  };

  it('prints JSON with total, unwrapped, ratio and parts in G MACs', async () => {
    const json = JSON.parse(await run({ set: [], json: true, count: 'paper' })) as { total: number; unwrapped: number; ratio: number; parts: Record<string, number> };
    expect(Object.keys(json)).toEqual(['total', 'unwrapped', 'ratio', 'parts']);
    expect(json.total).toBeCloseTo(7.0818, 4);
    expect(json.unwrapped).toBeCloseTo(9.7811, 4);
    expect(Object.values(json.parts).reduce((a, b) => a + b, 0)).toBeCloseTo(json.total, 9);
  });

  it('prints a table that says which count it is', async () => {
    const text = await run({ set: [], count: 'executed' });
    expect(text).toContain('executed: the graph that trains');
    expect(text).toMatch(/^aggregator +0\.0049 +-$/m);
    expect(text).toMatch(/^ratio 0\.7\d\d; formula and recorded graph agree in every part$/m);
  });
});
