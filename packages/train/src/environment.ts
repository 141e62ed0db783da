import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { gitState, type GitState } from './git-state.js';

/** What a run was made with. Holds no names of users, hosts, folders or variables. */
export interface Environment {
  readonly created: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly host: { readonly system: string; readonly processor: string; readonly threads: number; readonly memoryGiB: number };
  readonly engine: { readonly kind: string; readonly description: string; readonly precision: string };
  /** Checkouts that the command ran in (`project`) and that mimlab itself lies in; absent where there is none. */
  readonly git: { readonly project?: GitState; readonly mimlab?: GitState };
}

const PACKAGES = ['@mimlab/core', '@mimlab/engine', '@mimlab/data', '@mimlab/train'] as const;

function versionOf(name: string): string {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}

/** The package that this file belongs to. */
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** @param project folder of the user's work: configurations and plugins lie in its checkout, if anywhere */
export function describeEnvironment(engine: Engine, now: Date = new Date(), project: string = process.cwd()): Environment {
  const git = { project: gitState(project), mimlab: gitState(PACKAGE, 'package.json') };
  return {
    created: now.toISOString(),
    versions: {
      node: process.version,
      '@tensorflow/tfjs-core': tf.version_core,
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    },
    host: {
      system: `${platform()} ${release()} ${arch()}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      threads: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    engine: { kind: engine.kind, description: engine.description, precision: engine.precision },
    git: { ...(git.project === undefined ? {} : { project: git.project }), ...(git.mimlab === undefined ? {} : { mimlab: git.mimlab }) },
  };
}
