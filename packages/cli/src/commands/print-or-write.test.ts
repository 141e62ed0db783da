import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MimlabError } from '@mimlab/core';
import { afterAll, describe, expect, it } from 'vitest';
import { recordedTerminal } from '../terminal.test-support.js';
import { printOrWrite } from './print-or-write.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-write-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('results', () => {
  it('are printed where no file is named', async () => {
    const terminal = recordedTerminal();
    await printOrWrite('a | b', undefined, terminal);
    expect(terminal.lines).toEqual(['a | b']);
  });

  it('are written into a file, with the folders on the way, in place of an older one', async () => {
    const output = join(folder, 'tief', 'ü', 'table.md');
    const terminal = recordedTerminal();
    await printOrWrite('old and longer', output, terminal);
    await printOrWrite('new', output, terminal);
    expect(readFileSync(output, 'utf8')).toBe('new\n');
    expect(terminal.lines).toEqual([output, output]);
    expect(readdirSync(join(folder, 'tief', 'ü'))).toEqual(['table.md']);
  });

  it('that cannot be written are told of with the place, and not announced', async () => {
    writeFileSync(join(folder, 'file'), 'kept');
    const terminal = recordedTerminal();
    const error: unknown = await printOrWrite('text', join(folder, 'file', 'table.md'), terminal).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MimlabError);
    expect((error as Error).message).toMatch(/file: is a file, a folder is expected|file: a part of this path is a file/);
    expect(terminal.lines).toEqual([]);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('kept');
  });
});
