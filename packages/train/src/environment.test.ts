import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { inTemporaryFolder, quadraticEngine } from '../testing/quadratic-run.js';
import { describeEnvironment } from './environment.js';

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=someone', '-c', 'user.email=someone@example.org', '-c', 'commit.gpgsign=false', ...args], { encoding: 'utf8' }).trim();

it('holds the commit of the project that the command ran in', () =>
  inTemporaryFolder(async (folder) => {
    git(folder, 'init', '--quiet');
    git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'first');
    expect(describeEnvironment(quadraticEngine(), new Date(0), folder).git.project).toEqual({ commit: git(folder, 'rev-parse', 'HEAD'), dirty: false });
  }));

it('says nothing of a project that is in no checkout', () =>
  inTemporaryFolder(async (folder) => {
    expect(describeEnvironment(quadraticEngine(), new Date(0), folder).git).not.toHaveProperty('project');
  }));
