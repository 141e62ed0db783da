import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { gitState } from './git-state.js';

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=someone', '-c', 'user.email=someone@example.org', '-c', 'commit.gpgsign=false', ...args], { encoding: 'utf8' }).trim();

/** A checkout with one commit that holds `recipe.yaml`. */
function checkout(folder: string): string {
  git(folder, 'init', '--quiet');
  writeFileSync(join(folder, 'recipe.yaml'), 'seed: 1\n');
  git(folder, 'add', 'recipe.yaml');
  git(folder, 'commit', '--quiet', '--message', 'first');
  return git(folder, 'rev-parse', 'HEAD');
}

it('names the commit of a clean checkout, from any folder in it', () =>
  inTemporaryFolder(async (folder) => {
    const commit = checkout(folder);
    mkdirSync(join(folder, 'deep'));
    expect(gitState(join(folder, 'deep'))).toEqual({ commit, dirty: false });
  }));

it('says when a tracked file was changed, and passes over new ones', () =>
  inTemporaryFolder(async (folder) => {
    checkout(folder);
    writeFileSync(join(folder, 'notes.txt'), 'new');
    expect(gitState(folder)?.dirty).toBe(false);
    writeFileSync(join(folder, 'recipe.yaml'), 'seed: 2\n');
    expect(gitState(folder)?.dirty).toBe(true);
  }));

it('knows nothing outside a checkout, and before the first commit', () =>
  inTemporaryFolder(async (folder) => {
    expect(gitState(folder)).toBeUndefined();
    git(folder, 'init', '--quiet');
    expect(gitState(folder)).toBeUndefined();
  }));

it('does not take an installed package for part of the project around it', () =>
  inTemporaryFolder(async (folder) => {
    checkout(folder);
    const installed = join(folder, 'node_modules', 'mimlab');
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, 'package.json'), '{}');
    expect(gitState(installed, 'package.json')).toBeUndefined();
    expect(gitState(folder, 'recipe.yaml')).toMatchObject({ dirty: false });
  }));

it('knows nothing where there is no git', () =>
  inTemporaryFolder(async (folder) => {
    checkout(folder);
    vi.stubEnv('PATH', join(folder, 'nowhere'));
    try {
      expect(gitState(folder)).toBeUndefined();
    } finally {
      vi.unstubAllEnvs();
    }
  }));
