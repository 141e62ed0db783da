import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import type { TrainRecord } from '@mimlab/train';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyRun, tinySettings, writeTinyDigits } from '../run/tiny-run.test-support.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { freeRunFolder, pretrainCommand, trainReporter } from './pretrain.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-pretrain-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the folder of a new run', () => {
  it('is called as the configuration, whatever folder and ending that has', () => {
    expect(freeRunFolder('mae/vit-b16', folder)).toBe(join(folder, 'vit-b16'));
    expect(freeRunFolder('configs/größe.v2.yaml', folder)).toBe(join(folder, 'größe.v2'));
    expect(freeRunFolder('a.yml', folder)).toBe(join(folder, 'a'));
  });

  it('is the first one that is free', () => {
    for (const name of ['b', 'b-2', 'b-4']) mkdirSync(join(folder, name));
    expect(freeRunFolder('b.yaml', folder)).toBe(join(folder, 'b-3'));
    expect(existsSync(join(folder, 'b-3'))).toBe(false);
  });
});

describe('records of training', () => {
  const update: TrainRecord = { kind: 'update', update: 2, updates: 10, epoch: 0.25, loss: 0.123456, lr: 0.00015, imagesPerSecond: 1, waiting: 0.256 };
  const told = async (...records: TrainRecord[]) => {
    const terminal = recordedTerminal();
    const reporter = trainReporter(await tinyRun('digits', 'train.accumulate=2'), terminal);
    records.forEach(reporter.report);
    reporter.end();
    return terminal;
  };

  it('become lines: of an update its epoch, loss, rate and share of waiting', async () => {
    expect((await told(update)).notes).toEqual(['update  2/10 (20 %)  epoch 0.25  loss 0.1235  lr 1.50e-4  26 % waiting']);
  });

  it('become a note where a person should know', async () => {
    expect((await told({ kind: 'notice', message: 'a checkpoint was passed over' })).notes).toEqual(['note: a checkpoint was passed over']);
  });

  it('about checkpoints and logs are silent', async () => {
    const { notes, lines } = await told({ kind: 'checkpoint', update: 2, path: 'x', seconds: 1 });
    expect([notes, lines]).toEqual([[], []]);
  });
});

describe('mimlab pretrain', () => {
  const refusal = (config: string | undefined, options: Partial<Parameters<typeof pretrainCommand>[1]>): Promise<Error> =>
    pretrainCommand(config, { set: [], ...options }, recordedTerminal()).then(
      () => new Error('nothing was refused'),
      (error: unknown) => error as Error,
    );

  it('needs a configuration or a run', async () => {
    const error = await refusal(undefined, {});
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^CONFIG: there is nothing to train\n.*mimlab presets.*--resume RUN/);
  });

  it('refuses two folders for one run', async () => {
    expect((await refusal('x', { resume: 'a', output: 'b' })).message).toMatch(/^--output: a resumed run stays in its folder\n/);
  });

  it('refuses to go on with what is no run, although a configuration is named', async () => {
    expect((await refusal('mae/vit-b16-in1k', { resume: join(folder, 'gone') })).message).toContain('gone: there is no such run');
  });

  it('trains into the folder that the configuration names, says how it went and prints the folder', async () => {
    const output = join(folder, 'named');
    const terminal = recordedTerminal();
    const set = [...tinySettings(writeTinyDigits(join(folder, 'data'))), `output=${output}`];
    const summary = await pretrainCommand('mae/vit-b16-in1k-pr50', { set }, terminal);
    expect(summary.outcome).toBe('finished');
    expect(terminal.lines).toEqual([output]);
    expect(terminal.notes.at(-2)).toMatch(/^Finished 3 updates in \d+ s, last loss \d\.\d{4}\.$/);
    expect(terminal.notes.at(-1)).toBe(`See reconstructions with: mimlab reconstruct ${output}`);
  });
});
