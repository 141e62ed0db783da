/** Where a command writes. Results go to `out` (standard output), everything about the way there to `note` (standard error). */
export interface Terminal {
  /** Someone watches standard error: progress may overwrite its line. */
  readonly live: boolean;
  readonly columns: number;
  out(line: string): void;
  note(line: string): void;
  /** Replaces the live line; an empty text removes it. Only for `live` terminals. */
  overwrite(text: string): void;
}

/** The streams a terminal needs; process.stdout and process.stderr have this form. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/**
 * A terminal over two streams. A reader that goes away (`mimlab pretrain ... | head`) silences its stream and nothing
 * else: a run that trains must not die because nobody reads its progress.
 */
export function createTerminal(stdout: OutputStream = process.stdout, stderr: OutputStream = process.stderr): Terminal {
  const quiet = new WeakSet<OutputStream>();
  for (const stream of new Set([stdout, stderr])) {
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
      quiet.add(stream);
    });
  }
  const write = (stream: OutputStream, text: string): void => {
    if (!quiet.has(stream)) stream.write(text);
  };
  const live = stderr.isTTY === true;
  let overwritten = false;
  const clear = (): void => {
    if (overwritten) write(stderr, '\r\u001b[2K');
    overwritten = false;
  };
  return {
    live,
    columns: stderr.columns ?? 100,
    out(line) {
      clear();
      write(stdout, `${line}\n`);
    },
    note(line) {
      clear();
      write(stderr, `${line}\n`);
    },
    overwrite(text) {
      clear();
      if (text === '') return;
      write(stderr, text.slice(0, Math.max(10, (stderr.columns ?? 100) - 1)));
      overwritten = true;
    },
  };
}
