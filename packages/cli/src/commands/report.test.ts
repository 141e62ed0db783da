import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { writeReport } from '../report/write-report.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { reportCommand, type ReportCommandOptions } from './report.js';

vi.mock('../report/write-report.js', () => ({ writeReport: vi.fn() }));
afterEach(() => {
  vi.mocked(writeReport).mockReset();
});

async function report(runs: readonly string[], options: Partial<ReportCommandOptions> = {}, live = false) {
  const terminal = recordedTerminal({ live });
  await reportCommand(runs, { images: 8, pictures: true, ...options }, terminal);
  return terminal;
}

describe('mimlab report', () => {
  it('goes into the folder of a single run, and beside the caller for several', async () => {
    expect((await report(['runs/a'])).lines).toEqual([join('runs/a', 'report.html')]);
    expect((await report(['runs/a', 'runs/b'])).lines).toEqual(['report.html']);
    expect((await report(['runs/a'], { output: 'seite.html' })).lines).toEqual(['seite.html']);
  });

  it('hands on what is to be drawn', async () => {
    await report(['a'], { images: 3, pictures: false });
    expect(vi.mocked(writeReport)).toHaveBeenCalledWith(['a'], join('a', 'report.html'), expect.objectContaining({ images: 3, pictures: false }));
  });

  it('notes what was passed over', async () => {
    vi.mocked(writeReport).mockImplementation((_, __, { notice }) => {
      notice('step-3: passed over');
      return Promise.resolve();
    });
    expect((await report(['a'])).notes).toEqual(['note: step-3: passed over']);
  });

  it('has a line of progress for each run, which is gone at the end', async () => {
    vi.mocked(writeReport).mockImplementation((_, __, { progress }) => {
      progress('a', 1, 1);
      progress('b', 1, 2);
      progress('b', 2, 2);
      return Promise.resolve();
    });
    const { overwritten } = await report(['a', 'b'], {}, true);
    expect(overwritten.map((line) => line.replace(/ {2}\d.*/, ''))).toEqual(['pictures of a', '', 'pictures of b', 'pictures of b', '']);
  });

  it('prints no path where the page could not be written', async () => {
    vi.mocked(writeReport).mockRejectedValue(new Error('no run'));
    const terminal = recordedTerminal();
    await expect(reportCommand(['a'], { images: 8, pictures: true }, terminal)).rejects.toThrow('no run');
    expect(terminal.lines).toEqual([]);
  });
});
