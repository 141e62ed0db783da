import { execFileSync } from 'node:child_process';

/** The state of a git checkout. */
export interface GitState {
  /** Hash of the commit, in full. */
  readonly commit: string;
  /** Tracked files differ from the commit. */
  readonly dirty: boolean;
}

/** A slow disk must not keep a run waiting. Milliseconds. */
const PATIENCE = 5000;

/** The repository's own hooks and monitors are left alone, and no lock is taken. */
const git = (folder: string, args: readonly string[]): string =>
  execFileSync('git', ['-c', 'core.fsmonitor=false', '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  }).trim();

/**
 * The checkout that a folder lies in. Undefined where there is none, where it has no commit yet, where there is no git, and where
 * git does not answer soon: what is known about a run must never keep it from running.
 * @param tracked a file of the folder that must belong to the checkout, so that an installed package is not taken for part of
 * the project it is installed in
 */
export function gitState(folder: string, tracked?: string): GitState | undefined {
  try {
    if (tracked !== undefined) git(folder, ['ls-files', '--error-unmatch', '--', tracked]);
    const commit = git(folder, ['rev-parse', '--verify', 'HEAD']);
    return { commit, dirty: git(folder, ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=all']) !== '' };
  } catch {
    return undefined;
  }
}
