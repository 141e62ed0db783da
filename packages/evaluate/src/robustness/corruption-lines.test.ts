import { describe, expect, it } from 'vitest';
import { ALL_CELLS, summarizeCorruptions } from './corruption-error.js';
import { corruptionLines } from './corruption-lines.js';

const cells = ALL_CELLS.map((cell) => ({ ...cell, error: cell.severity / 10 }));

describe('lines about corrupted images', () => {
  it('give means, and every corruption with its severities', () => {
    const lines = corruptionLines({ inC: summarizeCorruptions(cells, 0.1, true) });
    expect(lines).toHaveLength(16);
    expect(lines[0]).toMatch(/^inC: mean error 30.00 %, mCE \d+\.\d, relative mCE \d+\.\d \(AlexNet: 100\)$/);
    expect(lines[1]).toBe('  gaussian_noise     30.00 %, CE 33.8  (1: 10.00 %, 2: 20.00 %, 3: 30.00 %, 4: 40.00 %, 5: 50.00 %)');
  });

  it('name what was not measured, and leave out what has no meaning then', () => {
    const lines = corruptionLines({ inC: summarizeCorruptions(cells.slice(0, 5), 0.1, false) });
    expect(lines[0]).toBe('inC: mean error 30.00 %');
    expect(lines[1]).toBe('  gaussian_noise  30.00 %  (1: 10.00 %, 2: 20.00 %, 3: 30.00 %, 4: 40.00 %, 5: 50.00 %)');
    expect(lines.at(-1)).toContain('not measured: shot_noise, impulse_noise, defocus_blur');
  });

  it('are none where none were measured', () => {
    expect(corruptionLines({ pool: 'mean' })).toEqual([]);
  });
});
