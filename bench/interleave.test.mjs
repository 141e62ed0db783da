import { describe, expect, it } from 'vitest';
import { interleave } from './interleave.mjs';

/** Runners that note their turns; each step takes as long as its turn's number. */
function recordedRunners(...names) {
  const turns = [];
  const runners = Object.fromEntries(names.map((name) => [name, async () => ({ seconds: [turns.push(name)], of: name })]));
  return { turns, runners };
}
const quiet = { say: () => undefined, clock: () => 0, seconds: 60 };

describe('rounds', () => {
  it('let every peer work once, in alternating order', async () => {
    const { turns, runners } = recordedRunners('a', 'b', 'c');
    const taken = await interleave(runners, { ...quiet, rounds: 3 });
    expect(turns.join('')).toBe('abccbaabc');
    expect(taken.a).toEqual({ ofRounds: [1, 6, 7], steps: [1, 6, 7], last: { seconds: [7], of: 'a' } });
  });

  it('keep the median of a round and every step', async () => {
    const taken = await interleave({ a: async () => ({ seconds: [1, 9, 2] }) }, { ...quiet, rounds: 1 });
    expect(taken.a).toMatchObject({ ofRounds: [2], steps: [1, 9, 2] });
  });

  it('end early when time is up, but not before the third', async () => {
    const { turns, runners } = recordedRunners('a');
    let time = 0;
    await interleave(runners, { ...quiet, rounds: 9, seconds: 60, clock: () => (time += 100) });
    expect(turns).toHaveLength(3);
  });

  it('pass on what a peer fails with', async () => {
    await expect(interleave({ a: () => Promise.reject(new Error('ended')) }, { ...quiet, rounds: 1 })).rejects.toThrow('ended');
  });
});
