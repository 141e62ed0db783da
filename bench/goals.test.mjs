import { describe, expect, it } from 'vitest';
import { PARTS } from './goal-parts.mjs';
import { GOALS, judge } from './goals.mjs';
import { comparison, growth, loading, ownPeer, peer, results } from './results.test-support.mjs';
import { summary } from './statistics.mjs';

const judged = (given, what) => judge(results(given)).find((goal) => goal.what === what);

describe('goals', () => {
  it('that were not measured are neither met nor missed', () => {
    for (const goal of judge(results())) {
      expect(goal).not.toHaveProperty('met');
      expect(goal).not.toHaveProperty('measured');
    }
  });

  it('of the step are held against the faster PyTorch', () => {
    const comparisons = [comparison({ eager: peer([3, 3]), compile: peer([2, 2]), 'γ 0': ownPeer([1.8, 1.7]) })];
    const goal = judged({ comparisons }, 'step over the fastest PyTorch, ViT-B/16, fp32');
    expect(goal.measured).toMatchObject({ median: 0.875, range: [0.85, 0.9], note: 'against compile (eager: 0.58)' });
    expect(goal.met).toBe(true);
  });

  it('of the step need no peer that failed', () => {
    const comparisons = [comparison({ eager: peer([2, 2]), 'γ 0': ownPeer([2, 2]) }, { failures: { compile: 'no g++' } })];
    expect(judged({ comparisons }, 'step over the fastest PyTorch, ViT-B/16, fp32')).toMatchObject({ met: false, measured: { median: 1, note: 'against eager' } });
  });

  it('of memory are held against the PyTorch that holds least', () => {
    const comparisons = [comparison({ eager: peer([3], { residentBytes: 2e9 }), compile: peer([2], { residentBytes: 4e9 }), 'γ 0': ownPeer([1], { residentBytes: 3e9 }) })];
    expect(judged({ comparisons }, 'peak resident memory over PyTorch, ViT-B/16, fp32')).toMatchObject({ met: false, measured: { median: 1.5, note: 'against eager' } });
  });

  it('of throwing compare the method with itself in one comparison', () => {
    const own = { 'γ 0': ownPeer([4, 8]), 'γ 0.5': ownPeer([2, 4], { stepBytes: 0.6e9 }) };
    const comparisons = [comparison(own), comparison(own, { method: 'simmim' })];
    expect(judged({ comparisons }, 'PR-MIM γ 0.5 over full MAE, ViT-B/16: time')).toMatchObject({ met: true, measured: { median: 0.5 } });
    expect(judged({ comparisons }, "PR-MIM γ 0.5 over full MAE, ViT-B/16: peak of the step's own bytes")).toMatchObject({ met: false, measured: { median: 0.6 } });
    expect(judged({ comparisons }, 'PR-MIM γ 0.5 over full SimMIM, ViT-B/16: time')).toMatchObject({ met: true });
  });

  it('of the loader take its own ratio, and sampling as a share of all its work', () => {
    const given = {
      loading: [loading('small', 1.04, { decode: 0, augment: 1e-4 }), loading('vit-b16', 1.02, { decode: 1e-3, augment: 3e-3 })],
      sampling: { microseconds: summary([20]) },
    };
    expect(judged(given, 'step with loader over step without, small').met).toBe(false);
    expect(judged(given, 'step with loader over step without, ViT-B/16').met).toBe(true);
    expect(judged(given, 'furthest sampling, 14 x 14, γ 0.5: µs an image')).toMatchObject({ met: true, measured: { median: 20 } });
    expect(judged(given, 'furthest sampling, 14 x 14, γ 0.5: % of loader time').measured.median).toBeCloseTo(0.5);
  });

  it('of growth are decided by the worst of the larger sizes', () => {
    const goal = judged({ growth }, 'growth: step over what the operations say, worst of all larger sizes');
    expect(goal).toMatchObject({ met: false, measured: { note: '400 tokens, batch 8' } });
    expect(goal.measured.median).toBeCloseTo(1.1);
  });

  it('are measured by parts that together have 25 minutes', () => {
    expect(Object.values(PARTS).reduce((sum, { minutes }) => sum + minutes, 0)).toBeLessThanOrEqual(25);
    expect(new Set(GOALS.map(({ what }) => what)).size).toBe(GOALS.length);
  });
});
