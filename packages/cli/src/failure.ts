import { MimlabError } from '@mimlab/core';
import { CommanderError } from 'commander';

/** Exit codes: 0 done, 1 a mistake or a failure, 2 wrong usage of the command line, 130 interrupted. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The user pressed Ctrl-C; everything worth keeping has been kept. */
export class Interrupted extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Interrupted';
  }
}

export interface Failure {
  readonly code: number;
  /** Empty where everything has been said already. */
  readonly text: string;
}

/** What the operating system's refusals mean to a person. */
const SYSTEM_ERRORS: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) => `${path}no space left on the disk.\n  Free some space; a run goes on with 'mimlab pretrain CONFIG --resume RUN' from its newest checkpoint.`,
  EDQUOT: (path) => `${path}the disk quota is used up.\n  Free some space; a run goes on with 'mimlab pretrain CONFIG --resume RUN' from its newest checkpoint.`,
  EACCES: (path) => `${path}permission denied.\n  Check who may read and write there, or choose another place with --output.`,
  EPERM: (path) => `${path}permission denied.\n  Check who may read and write there, or choose another place with --output.`,
  EEXIST: (path) => `${path}is there already, and is no folder.\n  Choose another place with --output.`,
  ENAMETOOLONG: (path) => `${path}the name is too long.\n  Choose a shorter one.`,
  EROFS: (path) => `${path}the file system is read-only.\n  Choose another place with --output.`,
  ENOENT: (path) => `${path}no such file or folder.`,
  EISDIR: (path) => `${path}is a folder, a file is expected.`,
  ENOTDIR: (path) => `${path}is a file, a folder is expected.`,
  EMFILE: (path) => `${path}too many open files.\n  Raise the limit (ulimit -n) or lower data.workers.`,
};

/**
 * Says what went wrong: one message for a mistake that a person can mend, one line for anything else.
 * @param verbose adds the stack trace of what is no known mistake
 */
export function describeFailure(error: unknown, verbose: boolean): Failure {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.done : EXIT.usage, text: '' };
  if (error instanceof Interrupted) return { code: EXIT.interrupted, text: error.message };
  const stack = verbose && error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : '';
  if (error instanceof MimlabError) return { code: EXIT.failed, text: `error: ${error.message}${stack}` };
  const { code, path } = (error ?? {}) as { code?: unknown; path?: unknown };
  const known = typeof code === 'string' ? SYSTEM_ERRORS[code] : undefined;
  if (known !== undefined) return { code: EXIT.failed, text: `error: ${known(typeof path === 'string' ? `${path}: ` : '')}${stack}` };
  const summary = (error instanceof Error ? error.message || error.name : String(error)).split('\n')[0];
  const more = verbose ? stack : `\n  This is a defect of mimlab or of a plugin. Run again with --verbose (or MIMLAB_DEBUG=1) to see where it happened.`;
  return { code: EXIT.failed, text: `error: unexpected: ${summary}${more}` };
}
