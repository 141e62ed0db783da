import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationText } from './duration.js';
import { createProgress, type ProgressState } from './progress.js';
import { recordedTerminal, type RecordedTerminal } from './terminal.test-support.js';

/** Shows states at their seconds. */
function shown(live: boolean, states: readonly (readonly [at: number, state: Partial<ProgressState>])[]): RecordedTerminal {
  const terminal = recordedTerminal({ live });
  let now = 0;
  const progress = createProgress(terminal, { label: 'reading', unit: 'images', now: () => now });
  for (const [at, state] of states) {
    now = at;
    progress.update({ done: 0, total: 10, text: '', ...state });
  }
  progress.end();
  return terminal;
}

describe('progress on a terminal', () => {
  it('is one line that is overwritten ten times a second at most, and goes at the end', () => {
    const { overwritten, notes } = shown(true, [[0, {}], [0.05, { done: 1 }], [0.11, { done: 2 }]]);
    expect(overwritten.map((line) => line.slice(0, 15))).toEqual(['reading  0/10 (', 'reading  2/10 (', '']);
    expect(notes).toEqual([]);
  });

  it('shows the last state however soon it comes', () => {
    expect(shown(true, [[0, {}], [0.01, { done: 10 }]]).overwritten[1]).toContain('10/10 (100 %)');
  });
});

describe('progress elsewhere', () => {
  it('is a plain line every ten seconds', () => {
    const { notes, overwritten } = shown(false, [[0, {}], [9.9, { done: 1 }], [10, { done: 2 }], [19, { done: 3 }], [20, { done: 4 }]]);
    expect(notes.map((line) => line.split(' ')[2])).toEqual(['0/10', '2/10', '4/10']);
    expect(overwritten).toEqual([]);
  });
});

describe('a line of progress', () => {
  const last = (...states: readonly (readonly [number, Partial<ProgressState>])[]): string | undefined => shown(false, states).notes.at(-1);

  it('names neither rate nor time before there is one', () => {
    expect(last([0, {}])).toBe('reading  0/10 (0 %)  ');
    expect(last([0, { done: 4 }], [10, { done: 4 }])).toBe('reading  4/10 (40 %)  ');
  });

  it('never says 100 % before the end', () => {
    expect(last([0, { done: 999, total: 1000 }])).toContain('(99 %)');
  });

  it('of nothing to do is done', () => {
    expect(last([0, { total: 0 }])).toBe('reading  0/0 (100 %)  ');
  });

  it('counts the rate in units, three digits of it', () => {
    expect(last([0, {}], [10, { done: 2, unitsEach: 64 }])).toContain('  12.8 images/s  40 s left');
    expect(last([0, {}], [10, { done: 5, unitsEach: 4096 }])).toContain('  2048 images/s  10 s left');
  });
});

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.5, '1:00'],
    [3599.5, '1:00:00'],
    [47 * 3600 + 59 * 60, '47:59:00'],
    [48 * 3600, '2 d 0 h'],
    [-1, '?'],
    [Infinity, '?'],
  ])('of %f seconds is %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it('below two days says how many seconds it has, whichever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 48 * 3600 - 1 }), (seconds) => {
        expect(durationText(seconds).split(':').reduce((sum, part) => 60 * sum + Number(part), 0)).toBe(seconds);
      }),
    );
  });
});
