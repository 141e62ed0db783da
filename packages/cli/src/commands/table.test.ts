import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Terminal } from '../terminal.js';
import { tableCommand, type TableCommandOptions } from './table.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-table-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function run(id: string, options: Partial<TableCommandOptions> = {}): Promise<string> {
  const lines: string[] = [];
  const terminal: Terminal = { live: false, columns: 100, out: (line) => lines.push(line), note: () => undefined, overwrite: () => undefined };
  await tableCommand(id, { format: 'terminal', seeds: 1, set: [], cost: true, store: join(folder, 'store'), processes: 1, ...options }, terminal);
  return lines.join('\n');
}

describe('mimlab table', () => {
  it('prints published and analytic columns alone with --analytic', async () => {
    const text = await run('t12', { analytic: true });
    expect(text).toContain('Table 12. Design of the spatial aggregation.');
    expect(text).toMatch(/^t12-03 +transformer +\| +81\.8 +0\.65 +\| +0\.6559 /m);
    expect(text).not.toContain('measured');
  });

  it('prints some rows, by id in JSON', async () => {
    const json = JSON.parse(await run('table2', { analytic: true, format: 'json', rows: 't2-01,t2-09' })) as { rows: Record<string, { published: unknown; analytic: { gmacs: number }; measured: unknown }> };
    expect(Object.keys(json.rows)).toEqual(['t2-01', 't2-09']);
    expect(json.rows['t2-09']).toMatchObject({ published: { top1: 81.8, flops: 'n/a' }, measured: null });
    expect(json.rows['t2-09']?.analytic.gmacs).toBeCloseTo(7.0818, 4);
  });

  it('leaves nothing behind where it only computes', async () => {
    await run('t9', { analytic: true });
    expect(existsSync(join(folder, 'store'))).toBe(false);
  });

  it('writes into a file and says which', async () => {
    const output = join(folder, 'table.tex');
    expect(await run('t9', { analytic: true, format: 'latex', output })).toBe(output);
    expect(readFileSync(output, 'utf8')).toMatch(/^% needs .*booktabs[^]*\\end\{table\}\n$/);
  });

  it.each([
    ['--quick', { quick: true }],
    ['--set', { set: ['seed=1'] }],
    ['--seeds', { seeds: 2 }],
    ['--no-cost', { cost: false }],
  ])('refuses %s where nothing is measured', async (option, options) => {
    await expect(run('t9', options)).rejects.toThrow(`${option}: nothing is measured without a scale\n  Add --scale`);
  });

  it('refuses to compute alone and to measure at once', async () => {
    await expect(run('t9', { analytic: true, scale: 'mnist' })).rejects.toThrow('--analytic, --scale: one asks for computed columns only, the other for measured ones');
  });

  it('refuses tables and rows that there are not', async () => {
    await expect(run('t1', { analytic: true })).rejects.toThrow(`there is no table 't1'`);
    await expect(run('t2', { analytic: true, rows: 't2-44' })).rejects.toThrow(`'t2-44' is no row of t2`);
  });
});
