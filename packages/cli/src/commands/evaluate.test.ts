import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinySettings, writeTinyDigits } from '../run/tiny-run.test-support.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { evaluateCommand, type EvaluateCommandOptions } from './evaluate.js';

const home = process.cwd();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mimlab-evaluate-')));
beforeAll(async () => {
  process.chdir(folder);
  // As configuration: the settings of the tiny run under their sections.
  const sections: Record<string, Record<string, unknown>> = {};
  for (const setting of tinySettings(writeTinyDigits('digits', 20))) {
    const [key = '', value = ''] = setting.split('=');
    const [section = '', name = ''] = key.split('.');
    sections[section] = { ...sections[section], [name]: Number.isNaN(Number(value)) ? value : Number(value) };
  }
  writeFileSync('tiny.yaml', JSON.stringify({ extends: 'mae/vit-b16-in1k-pr50', ...sections }));
  for (const [place, shade] of [['train/hell', 200], ['train/dunkel', 20], ['val/hell', 210], ['val/dunkel', 10]] as const) {
    const path = join('Bilder ä', place);
    mkdirSync(path, { recursive: true });
    await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: shade, g: shade, b: shade } } }).png().toFile(join(path, 'a.png'));
  }
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

async function evaluate(options: Partial<EvaluateCommandOptions> = {}) {
  const terminal = recordedTerminal();
  await evaluateCommand('tiny.yaml', { protocol: 'knn', set: ['k=1'], labels: 'all', seed: 0, untrained: true, leakCheck: false, ...options }, terminal);
  return terminal;
}

describe('an evaluation without a folder of its own', () => {
  it('is called after protocol, kind of data and seed', async () => {
    const { lines } = await evaluate({ seed: 3 });
    expect(lines).toEqual([join(folder, 'runs', 'evaluations', 'knn-mnist-seed3')]);
    expect(existsSync(join(lines[0] as string, 'config.yaml'))).toBe(true);
  });

  it('is called after its labels too where they are few', async () => {
    expect((await evaluate({ labels: '1' })).lines[0]).toMatch(/knn-mnist-1-seed0$/);
    expect((await evaluate({ labels: '50%' })).lines[0]).toMatch(/knn-mnist-50pct-seed0$/);
  });

  it('is called after the folder of its images where a kind stands for many', async () => {
    const { lines, notes } = await evaluate({ data: 'imagefolder:Bilder ä' });
    expect(lines[0]).toMatch(/knn-Bilder ä-seed0$/);
    expect(notes.at(-2)).toMatch(/^knn: 100\.00 % right .*, 2 of 2 test images, 2 labelled images$/);
  });

  it('shows its results again when it is asked again', async () => {
    const [first, again] = [await evaluate(), await evaluate()];
    expect(again.notes[0]).toMatch(/^note: .*knn-mnist-seed0 holds the results already$/);
    expect(again.notes.slice(1)).toEqual(first.notes.slice(-2));
  });
});

describe('an evaluation', () => {
  it('warns of test images that are training images, where it is to look for them', async () => {
    expect((await evaluate({ leakCheck: true, output: 'leaks' })).notes.join('\n')).toContain('warning: 20 of 20 test images are also training images');
  });

  it('keeps its whole configuration', async () => {
    await evaluate({ output: 'whole' });
    expect(JSON.parse(readFileSync(join('whole', 'evaluation.json'), 'utf8'))).toMatchObject({ seed: 0, labels: 'all', protocol: { name: 'knn', settings: { k: 1 } }, model: { weights: 'untrained' } });
  });

  it.each(['classify', 'robustness'])('by %s, which learns nothing, refuses labelled images', async (protocol) => {
    await expect(evaluate({ protocol, labels: '1%', set: [] })).rejects.toThrow(`--labels: '${protocol}' learns nothing`);
  });

  it('leaves nothing behind where its data is missing, and gives Ctrl-C back', async () => {
    const before = process.listenerCount('SIGINT');
    await expect(evaluate({ data: 'mnist:nowhere', output: 'never' })).rejects.toThrow(/nowhere/);
    expect(existsSync('never')).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
