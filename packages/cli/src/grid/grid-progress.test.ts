import { describe, expect, it } from 'vitest';
import type { Terminal } from '../terminal.js';
import { gridReporter } from './grid-progress.js';
import type { Job } from './plan-jobs.js';
import type { GridRecord } from './run-jobs.js';

const running: GridRecord = { kind: 'progress', done: 1, total: 4, running: [{ title: 't2-01: pretrain', share: 0.257 }], secondsLeft: 75 };

function written(live: boolean) {
  const [notes, over]: [string[], string[]] = [[], []];
  const terminal: Terminal = { live, columns: 80, out: () => undefined, note: (line) => notes.push(line), overwrite: (text) => over.push(text) };
  return { notes, over, terminal };
}

describe('the progress of a grid', () => {
  it('is one line with what runs and how long it takes', () => {
    const { over, terminal } = written(true);
    const { report, end } = gridReporter(terminal);
    report(running);
    end();
    expect(over).toEqual(['1/4 done  1:15 left  t2-01: pretrain 25 %', '']);
  });

  it('says nothing of the time that is left while it cannot be known', () => {
    const { over, terminal } = written(true);
    gridReporter(terminal).report({ ...running, secondsLeft: undefined });
    expect(over).toEqual(['1/4 done  t2-01: pretrain 25 %']);
  });

  it('is a plain line a minute where nobody watches, and one for every job that ends', () => {
    const { notes, terminal } = written(false);
    let clock = 0;
    const { report } = gridReporter(terminal, () => clock);
    report(running);
    clock = 59;
    report(running);
    report({ kind: 'finished', job: { title: 't2-01: pretrain' } as Job, seconds: 130, done: 2, total: 4 });
    clock = 61;
    report(running);
    expect(notes).toEqual(['1/4 done  1:15 left  t2-01: pretrain 25 %', '2/4  t2-01: pretrain, 2:10', '1/4 done  1:15 left  t2-01: pretrain 25 %']);
  });

  it('leaves the terminal alone when nothing runs', () => {
    const { over, terminal } = written(true);
    gridReporter(terminal).report({ ...running, running: [] });
    expect(over).toEqual([]);
  });
});
