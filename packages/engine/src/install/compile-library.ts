import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '@mimlab/core';
import type { Environment } from './cache-folder.js';
import { runTool, toolVersions } from './run-tool.js';
import { MissingToolError } from './setup-error.js';
import type { TensorflowLocation } from './tensorflow-location.js';

export interface Compilation {
  /** What is compiled, for people, with its article: `the fused kernels`. */
  readonly what: string;
  /** What goes on working without it: a clause without a full stop. */
  readonly without: string;
  /** Folder that an error names. */
  readonly place: string;
  /** The shared library to make. It appears whole or not at all. */
  readonly output: string;
  readonly sources: readonly string[];
  /** Options of the compiler, include folders too. */
  readonly flags: readonly string[];
  /** Files of TensorFlow to link to, in the location's folder. */
  readonly libraries: readonly string[];
  readonly location: TensorflowLocation;
  readonly environment: Environment;
}

/** @throws MissingToolError if there is no g++. */
export function requireCompiler({ what, without, environment }: Pick<Compilation, 'what' | 'without' | 'environment'>): void {
  if (toolVersions(environment).gxx === undefined) throw new MissingToolError(['g++'], `${what} cannot be compiled`, without, 'g++');
}

/**
 * Compiles C++ sources against TensorFlow into a shared library that finds it again where it lies now.
 * @throws EngineError with the compiler's first complaint if it fails; nothing is left behind then.
 */
export async function compileLibrary({ what, without, place, output, sources, flags, libraries, location: { folder }, environment }: Compilation): Promise<void> {
  mkdirSync(dirname(output), { recursive: true });
  const building = mkdtempSync(join(dirname(output), '.building-'));
  try {
    const built = join(building, basename(output));
    const linked = [`-L${folder}`, ...libraries.map((file) => `-l:${basename(file)}`), `-Wl,-rpath,${folder}`];
    const { status, stderr } = await runTool('g++', [...flags, ...sources, '-o', built, ...linked], { ...environment, TMPDIR: building });
    if (status !== 0) {
      const complaint = stderr.split('\n').find((line) => /error|cannot find|No space/i.test(line)) ?? stderr.split('\n')[0] ?? '';
      throw new EngineError(`g++ cannot compile ${what}: ${complaint.trim()}`, { place, remedy: `${without.charAt(0).toUpperCase()}${without.slice(1)}.` });
    }
    renameSync(built, output);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}
