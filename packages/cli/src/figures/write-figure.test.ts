import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { trimmed, writeFigure } from './write-figure.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-write-figure-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const spec = (fill: string): TopLevelSpec => ({ width: 20, height: 20, data: { values: [{}] }, mark: { type: 'rect', width: 10, height: 10, color: fill } }) as unknown as TopLevelSpec;

describe('the files of a figure', () => {
  it('are three, and nothing besides', async () => {
    await writeFigure(spec('red'), 'figure', folder);
    expect(readdirSync(folder).sort()).toEqual(['figure.png', 'figure.svg', 'figure.vl.json']);
  });

  it('are the same again from the same specification', async () => {
    const bytes = async (): Promise<string[]> => (await writeFigure(spec('red'), 'figure', folder)).map((path) => readFileSync(path, 'base64'));
    expect(await bytes()).toEqual(await bytes());
  });

  it('replace those of an earlier figure, and leave others alone', async () => {
    await writeFigure(spec('red'), 'figure', folder);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await writeFigure(spec('blue'), 'figure', folder);
    expect(readFileSync(join(folder, 'figure.svg'), 'utf8')).toContain('blue');
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('are refused with the place that is a file', async () => {
    writeFileSync(join(folder, 'taken'), '');
    await expect(writeFigure(spec('red'), 'figure', join(folder, 'taken'))).rejects.toThrow(/taken: is a file, a folder is expected/);
  });

  it('leave no part of a file behind where one cannot be written', async () => {
    mkdirSync(join(folder, 'figure.svg'));
    await expect(writeFigure(spec('red'), 'figure', folder)).rejects.toThrow('figure.svg');
    expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
  });
});

describe('trimming', () => {
  const frame = (inside: string): string => `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40" viewBox="0 0 100 40"><rect width="100" height="40" fill="white"/>${inside}</svg>`;

  it('leaves an empty drawing alone', () => {
    expect(trimmed(frame(''), 12)).toBe(frame(''));
  });

  it('leaves a drawing of another kind alone', () => {
    const other = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><rect x="10" y="10" width="5" height="5"/></svg>';
    expect(trimmed(other, 12)).toBe(other);
  });

  it('keeps the height, and the padding that is asked for', () => {
    const text = trimmed(frame('<rect x="10" y="10" width="20" height="5" fill="red"/>'), 3);
    expect(text).toContain('width="33" height="40" viewBox="0 0 33 40"');
  });
});
