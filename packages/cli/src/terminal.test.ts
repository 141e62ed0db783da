import { MimlabError } from '@mimlab/core';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { durationText } from './duration.js';
import { describeFailure, Interrupted } from './failure.js';
import { createProgress } from './progress.js';
import { createTerminal, type OutputStream } from './terminal.js';

interface Recorded extends OutputStream {
  text: string;
  fail(code: string): void;
}

function stream(isTTY: boolean, columns = 80): Recorded {
  let listener: (error: NodeJS.ErrnoException) => void = () => undefined;
  return {
    isTTY,
    columns,
    text: '',
    write(text: string) {
      this.text += text;
    },
    on(_, given) {
      listener = given;
    },
    fail(code) {
      listener(Object.assign(new Error(code), { code }));
    },
  };
}

describe('a terminal', () => {
  it('keeps results and notes apart', () => {
    const [out, err] = [stream(false), stream(false)];
    const terminal = createTerminal(out, err);
    terminal.out('result');
    terminal.note('on the way');
    expect([out.text, err.text]).toEqual(['result\n', 'on the way\n']);
  });

  it('goes on in silence when its reader has gone', () => {
    const [out, err] = [stream(false), stream(false)];
    const terminal = createTerminal(out, err);
    out.fail('EPIPE');
    terminal.out('nobody reads this');
    terminal.note('somebody reads this');
    expect([out.text, err.text]).toEqual(['', 'somebody reads this\n']);
  });

  it('does not hide other failures of a stream', () => {
    const out = stream(false);
    createTerminal(out, stream(false));
    expect(() => {
      out.fail('EIO');
    }).toThrow('EIO');
  });

  it('wipes the live line before it writes another', () => {
    const err = stream(true, 40);
    const terminal = createTerminal(stream(true), err);
    terminal.overwrite('working');
    terminal.note('done');
    expect(err.text).toBe('working\r\u001b[2Kdone\n');
  });

  it('cuts the live line to the width', () => {
    const err = stream(true, 20);
    createTerminal(stream(true), err).overwrite('x'.repeat(100));
    expect(err.text).toBe('x'.repeat(19));
  });
});

describe('a live line', () => {
  const live = (columns?: number) => {
    const err = { ...stream(true), ...(columns === undefined ? { columns: undefined } : { columns }) } as Recorded;
    return { err, terminal: createTerminal(stream(true), err) };
  };

  it('gives way to results too, which go elsewhere', () => {
    const [out, err] = [stream(true), stream(true)];
    const terminal = createTerminal(out, err);
    terminal.overwrite('working');
    terminal.out('result');
    expect([out.text, err.text]).toEqual(['result\n', 'working\r\u001b[2K']);
  });

  it('is wiped once, and not where there is none', () => {
    const { err, terminal } = live(40);
    terminal.overwrite('working');
    terminal.overwrite('');
    terminal.overwrite('');
    terminal.note('done');
    expect(err.text).toBe('working\r\u001b[2Kdone\n');
  });

  it('takes the place of the one before', () => {
    const { err, terminal } = live(40);
    terminal.overwrite('one');
    terminal.overwrite('two');
    expect(err.text).toBe('one\r\u001b[2Ktwo');
  });

  it('has some characters on the narrowest terminal, and a hundred where none says its width', () => {
    for (const [columns, shown] of [[3, 10], [undefined, 99]] as const) {
      const { err, terminal } = live(columns);
      terminal.overwrite('x'.repeat(200));
      expect(err.text).toHaveLength(shown);
    }
  });

  it('is only for a standard error that someone watches', () => {
    expect(createTerminal(stream(true), stream(false)).live).toBe(false);
    expect(createTerminal(stream(false), stream(true)).live).toBe(true);
  });
});

describe('a stream that is gone', () => {
  it.each(['EPIPE', 'ERR_STREAM_DESTROYED'])('is written to no more after %s, be it the one for both', (code) => {
    const both = stream(false);
    const terminal = createTerminal(both, both);
    both.fail(code);
    terminal.out('result');
    terminal.note('on the way');
    expect(both.text).toBe('');
  });
});

describe('progress', () => {
  const options = (clock: { at: number }): Parameters<typeof createProgress>[1] => ({ label: 'pretrain', unit: 'images', now: () => clock.at });

  it('says how far, how fast and how long still', () => {
    const err = stream(true);
    const clock = { at: 0 };
    const progress = createProgress(createTerminal(stream(true), err), options(clock));
    progress.update({ done: 0, total: 100, text: 'loss 1.0', unitsEach: 64 });
    clock.at = 10;
    progress.update({ done: 20, total: 100, text: 'loss 0.9', unitsEach: 64 });
    expect(err.text).toContain('pretrain  20/100 (20 %)  loss 0.9  128 images/s  40 s left');
  });

  it('writes plain lines now and then where nobody watches, the last one always', () => {
    const err = stream(false);
    const clock = { at: 0 };
    const progress = createProgress(createTerminal(stream(false), err), options(clock));
    for (let done = 0; done <= 30; done++) {
      clock.at = done * 0.9;
      progress.update({ done, total: 30, text: '' });
    }
    progress.end();
    const lines = err.text.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain('0/30');
    expect(lines[3]).toContain('30/30 (100 %)');
    expect(err.text).not.toContain('\r');
  });

  it('estimates from the last stretch, not from a slow start', () => {
    const err = stream(true);
    const clock = { at: 0 };
    const progress = createProgress(createTerminal(stream(true), err), options(clock));
    for (const [at, done] of [[0, 0], [100, 1], [110, 11], [121, 22], [131, 32]] as const) {
      clock.at = at;
      progress.update({ done, total: 132, text: '' });
    }
    expect(err.text).toMatch(/1\.00 images\/s {2}1:40 left$/);
  });

  it('writes durations as people read them', () => {
    expect([5, 65, 3671, 180000, Number.NaN].map(durationText)).toEqual(['5 s', '1:05', '1:01:11', '2 d 2 h', '?']);
  });
});

describe('a failure', () => {
  it('is its message alone for a mistake of the user', () => {
    const { code, text } = describeFailure(new MimlabError('no such key', { place: 'a.yaml:3:1', remedy: 'Did you mean depth?' }), false);
    expect(code).toBe(1);
    expect(text).toBe('error: a.yaml:3:1: no such key\n  Did you mean depth?');
  });

  it('names file and remedy when the disk is full', () => {
    const { text } = describeFailure(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', path: '/runs/a' }), false);
    expect(text).toMatch(/^error: \/runs\/a: no space left on the disk\.\n {2}Free some space/);
  });

  it('is one line and a hint for what nobody expected, with the stack only on request', () => {
    const quiet = describeFailure(new TypeError('x is undefined\nmore'), false).text;
    expect(quiet).toContain('error: unexpected: x is undefined\n');
    expect(quiet).toContain('--verbose');
    expect(quiet).not.toContain('    at ');
    expect(describeFailure(new TypeError('x is undefined'), true).text).toContain('    at ');
  });

  it('has an exit code of its own for wrong usage and for an interruption', () => {
    expect(describeFailure(new CommanderError(1, 'commander.unknownOption', 'x'), false)).toEqual({ code: 2, text: '' });
    expect(describeFailure(new CommanderError(0, 'commander.help', 'x'), false).code).toBe(0);
    expect(describeFailure(new Interrupted('stopped'), false)).toEqual({ code: 130, text: 'stopped' });
  });
});
