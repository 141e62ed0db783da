import { describe, expect, it } from 'vitest';
import { stepOperations } from './compare.mjs';
import { comparison, growth, loading, ownPeer, peer, results } from './results.test-support.mjs';
import { failureList, goalsTable, growthTable, loadingTable, machineText, methodsTables, pytorchTable, table } from './tables.mjs';

const cells = (text, row) => text.split('\n')[row + 2].split('|').slice(1, -1).map((cell) => cell.trim()); // prettier-ignore

describe('tables', () => {
  it('are Markdown', () => {
    expect(table(['a', 'b'], [['1', '2']])).toBe('| a | b |\n| --- | --- |\n| 1 | 2 |');
    expect(table(['a', 'b'], [])).toBe('');
  });

  it('of goals show median, range, what it was held against, and the verdict', () => {
    const text = goalsTable([
      { what: 'speed', atMost: 0.85, measured: { median: 0.9, range: [0.8, 1], note: 'against eager' }, met: false },
      { what: 'sampling', atMost: 75, measured: { median: 19.04, range: [18, 22.22] }, met: true },
      { what: 'memory', atMost: 1, measured: { median: 0.97, range: [0.97, 0.97] }, met: true },
      { what: 'growth', atMost: 1 },
    ]);
    expect(cells(text, 0)).toEqual(['speed', '<= 0.85', '0.900 (0.800-1.000), against eager', '**no**']);
    expect(cells(text, 1)).toEqual(['sampling', '<= 75', '19.0 (18.0-22.2)', 'yes']);
    expect(cells(text, 2)).toEqual(['memory', '<= 1', '0.970', 'yes']);
    expect(cells(text, 3)).toEqual(['growth', '<= 1', 'not measured', '-']);
  });

  it('of PyTorch hold mimlab against the faster of the two', () => {
    const text = pytorchTable([comparison({ eager: peer([2, 2]), compile: peer([4, 4], { residentBytes: 3.4e9 }), 'γ 0': ownPeer([1.8, 1.7]) }), comparison({ 'γ 0': ownPeer([1]) })]);
    expect(cells(text, 0)).toEqual(['ViT-B/16, 224 px, batch 8', 'fp32', '2.000', '4.000', '1.750', '**0.88 (0.85-0.90)**, eager', '3000 / 3400 / 3000', '2 of 1']);
    expect(text.split('\n')).toHaveLength(3);
  });

  it('of PyTorch say that torch.compile failed', () => {
    const failed = comparison({ eager: peer([2]), 'γ 0': ownPeer([2]) }, { failures: { compile: 'InductorError: no g++\nmore' } });
    expect(cells(pytorchTable([failed]), 0)[3]).toBe('failed');
    expect(failureList([failed])).toBe('- mae, ViT-B/16, 224 px, fp32, compile: InductorError: no g++');
  });

  it('of methods hold each part thrown against the full method of the same rounds', () => {
    const thrown = ownPeer([0.5, 0.6], { macs: { forward: 7e9, fixed: 0 }, counts: { visible: 49, retained: 49, thrown: 98 }, stepBytes: 0.55e9 });
    const both = { 'γ 0': ownPeer([1, 1]), 'γ 0.5': thrown };
    const [first, second] = methodsTables([comparison(both, { method: 'greenmim' }), comparison(both), comparison(both, { precision: 'bf16' })]).split('**ViT-B/16, 224 px, batch 8, bf16**\n\n');
    const [title, ...text] = first.split('\n\n');
    expect(title).toBe('**ViT-B/16, 224 px, batch 8, fp32**');
    expect(cells(text[0], 0)).toEqual(['greenmim (Swin-B, windows of 7)', '0', '49 / 147 / 0', '1.000', '8', '100', '-', '-', '3000', '1000', '0.31 + 4.0', '0.02 + 3.5', '287']);
    expect(cells(text[0], 1)).toEqual(['greenmim (Swin-B, windows of 7)', '0.5', '49 / 49 / 98', '0.550', '14.5', '100', '0.55 (0.50-0.60)', '0.70', '3000', '550 (0.55)', '0.31 + 4.0', '0.02 + 3.5', '287']);
    expect(cells(text[0], 2)[0]).toBe('mae');
    expect(second.split('\n')).toHaveLength(4);
  });

  it('of methods leave out comparisons without details', () => {
    expect(methodsTables([comparison({ eager: peer([2]), 'γ 0': ownPeer([1], { stepBytes: undefined }) })])).toBe('');
  });

  it('of the loader show where its time goes', () => {
    expect(cells(loadingTable([loading('vit-b16', 1.02, { decode: 0.001, plan: 0.00028 })]), 0)).toEqual([
      'ViT-B/16, 224 px, batch 8', '2.000', '2.040', '1.02', '200', '4', 'decode 1000, plan 280',
    ]); // prettier-ignore
  });

  it('of growth begin with the anchor', () => {
    const text = growthTable(growth);
    expect(cells(text, 0)).toEqual(['196', '8', '10', '1.000', '10', 'anchor']);
    expect(cells(text, 3)).toEqual(['400', '8', '30', '3.300', '9.09', '1.10 (1.07-1.13)']);
  });
});

describe('what stands beside figures', () => {
  it('names machine, versions and how busy it was', () => {
    expect(machineText(results({ comparisons: [comparison({ eager: peer([1]), 'γ 0': ownPeer([1]) })] }))).toBe(
      'Taken on 2026-11-23: Xeon, 2 cores, 24 GiB, Node v20.20.2, 2 threads, PyTorch 2.15.0, TensorFlow 2.21.0; load average when it began: 0.04; the whole run took 21 minutes.',
    );
  });

  it('counts a fixed teacher once and the rest three times', () => {
    expect(stepOperations({ forward: 10, fixed: 0 }, 4)).toBe(240);
    expect(stepOperations({ forward: 10, fixed: 6 }, 4)).toBe(144);
  });
});
