import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Largest resident memory of this process in bytes since it started or since `resetResidentPeak()`; on systems other
 * than Linux since it started.
 */
export function residentPeak(): number {
  const line = process.platform === 'linux' ? /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) : null;
  return (line === null ? process.resourceUsage().maxRSS : Number(line[1])) * 1024;
}

/** Starts the peak anew from the memory held now. Does nothing where the system cannot. */
export function resetResidentPeak(): void {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
}
