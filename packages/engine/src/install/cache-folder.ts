import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Environment variables as `process.env` has them; passed in so that tests need not change the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Folder outside any clone that keeps what set-up downloads and builds: `$MIMLAB_CACHE`, else `$XDG_CACHE_HOME/mimlab`,
 * else `~/.cache/mimlab`. It need not exist.
 */
export function cacheFolder(environment: Environment = process.env): string {
  const { MIMLAB_CACHE: own, XDG_CACHE_HOME: shared } = environment;
  if (own) return resolve(own);
  if (shared) return join(resolve(shared), 'mimlab');
  return join(homedir(), '.cache', 'mimlab');
}
