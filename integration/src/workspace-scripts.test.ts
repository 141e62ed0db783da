import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// The scripts are plain JavaScript, so that they run before anything is installed.
const script = (name: string): Promise<unknown> => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);
const { dependenciesInstalled } = (await script('setup')) as { dependenciesInstalled(folder: string): boolean };
const { countTests, countLine } = (await script('count-tests')) as { countTests(report: unknown): Counts; countLine(counts: Counts): string };

describe('dependenciesInstalled', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-setup-'));
    mkdirSync(join(folder, 'node_modules'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const lock = (packages: Record<string, object>): void => writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  const installed = (packages: Record<string, object>): void => writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));

  it('is false before anything was installed', () => {
    lock({});
    expect(dependenciesInstalled(folder)).toBe(false);
  });

  it('is true when every locked package is there in its version', () => {
    lock({ '': {}, 'packages/core': { version: '0.1.0' }, 'node_modules/@mimlab/core': { link: true }, 'node_modules/a': { version: '1.0.0' } });
    installed({ 'node_modules/a': { version: '1.0.0' } });
    expect(dependenciesInstalled(folder)).toBe(true);
  });

  it('is false when one is missing or of another version, nested ones too', () => {
    lock({ 'node_modules/a': { version: '1.0.0' }, 'packages/core/node_modules/b': { version: '2.0.0' } });
    installed({ 'node_modules/a': { version: '1.0.0' } });
    expect(dependenciesInstalled(folder)).toBe(false);
    installed({ 'node_modules/a': { version: '1.0.1' }, 'packages/core/node_modules/b': { version: '2.0.0' } });
    expect(dependenciesInstalled(folder)).toBe(false);
  });

  it('does not miss optional packages of other platforms, but their versions count', () => {
    lock({ 'node_modules/a-darwin': { version: '1.0.0', optional: true } });
    installed({});
    expect(dependenciesInstalled(folder)).toBe(true);
    installed({ 'node_modules/a-darwin': { version: '0.9.0' } });
    expect(dependenciesInstalled(folder)).toBe(false);
  });
});

describe('countTests', () => {
  const passing = { status: 'passed', assertionResults: [{ status: 'passed' }] };
  const report = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [passing] };

  it('sums what passed, failed and was skipped', () => {
    expect(countLine(countTests(report))).toBe('5 passed, 0 failed');
    expect(countLine(countTests({ ...report, numFailedTests: 2, numPendingTests: 3 }))).toBe('5 passed, 2 failed, 3 skipped');
  });

  it('counts a file that broke before its first test as one failure', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(countTests({ ...report, testResults: [passing, broken] }).failed).toBe(1);
  });

  it('does not count a failed test twice', () => {
    const failing = { status: 'failed', assertionResults: [{ status: 'failed' }] };
    expect(countTests({ ...report, numFailedTests: 1, testResults: [failing] }).failed).toBe(1);
  });
});
