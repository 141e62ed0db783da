import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processLauncher, type JobEnd } from './child-job.js';
import type { Job } from './plan-jobs.js';

describe('a job as a process of its own', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-child-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const log = (): string => readFileSync(join(folder, 'logs', 'job.log'), 'utf8');
  const script = (text: string): string => {
    const path = join(folder, 'main.mjs');
    writeFileSync(path, text);
    return path;
  };
  const job = { arguments: (resume: boolean) => (resume ? ['--resume', 'it'] : ['fresh']) } as unknown as Job;
  const launched = (text: string, more: { readonly resume?: boolean; readonly progress?: (share: number) => void } = {}) =>
    processLauncher(script(text))(job, { resume: false, log: join(folder, 'logs', 'job.log'), progress: () => undefined, ...more });
  const ended = async (...given: Parameters<typeof launched>): Promise<JobEnd> => (await launched(...given)).end;

  it('gets the arguments of the job, and what it says goes to the log below its command', async () => {
    await ended(`console.log('with', process.argv.slice(2).join(' '))`);
    expect(log()).toBe('$ mimlab fresh\nwith fresh\n');
  });

  it('adds to the log of an earlier attempt', async () => {
    await ended(`console.log('first')`);
    await ended(`console.log('second')`, { resume: true });
    expect(log()).toBe('$ mimlab fresh\nfirst\n$ mimlab --resume it\nsecond\n');
  });

  it('tells its exit code and its last twelve lines', async () => {
    const { code, tail } = await ended(`for (let line = 1; line <= 20; line++) console.error('line', line); process.exitCode = 3`);
    expect(code).toBe(3);
    expect(tail).toEqual(Array.from({ length: 12 }, (_, at) => `line ${at + 9}`));
  });

  it('tells a last line that has no end', async () => {
    expect((await ended(`process.stdout.write('torn')`)).tail).toEqual(['torn']);
  });

  it('tells the share that is done from its progress lines, and nothing from others', async () => {
    const shares: number[] = [];
    await ended(`console.error('update  1/4 (25 %)'); console.error('1/4 of it'); console.error('update  4/4 (100 %)'); console.error('0/0 (0 %)')`, { progress: (share) => shares.push(share) });
    expect(shares).toEqual([0.25, 1, 0]);
  });

  it('keeps signs whole that arrive in two pieces', async () => {
    const text = `const sign = Buffer.from('ж'); process.stdout.write(sign.subarray(0, 1)); setTimeout(() => process.stdout.write(Buffer.concat([sign.subarray(1), Buffer.from('\\n')])), 30)`;
    expect((await ended(text)).tail).toEqual(['ж']);
    expect(log()).toContain('ж\n');
  });

  it('keeps lines of its two streams apart', async () => {
    const { tail } = await ended(`process.stdout.write('to'); setTimeout(() => { process.stderr.write('warning\\n'); setTimeout(() => process.stdout.write('gether\\n'), 30) }, 30)`);
    expect(tail).toEqual(['warning', 'together']);
  });

  it('is asked to stop by the signal that commands catch', async () => {
    const running = await launched(`process.on('SIGTERM', () => process.exit(130)); setInterval(() => undefined, 1000); console.log('1/2 (50 %)')`, { progress: () => void stop() });
    const stop = (): void => {
      running.stop();
    };
    expect((await running.end).code).toBe(130);
  });

  it('has no exit code where a signal ended it', async () => {
    expect((await ended(`process.kill(process.pid, 'SIGKILL')`)).code).toBeNull();
  });

  it('is refused with the path of a log that cannot be written', async () => {
    mkdirSync(join(folder, 'logs', 'job.log'), { recursive: true });
    await expect(launched('')).rejects.toThrow(/logs\/job\.log: /);
    rmSync(join(folder, 'logs'), { recursive: true });
    writeFileSync(join(folder, 'logs'), '');
    await expect(launched('')).rejects.toThrow(/logs: is a file, a folder is expected/);
  });
});
