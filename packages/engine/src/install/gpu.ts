import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Whether an NVIDIA GPU is there to be used. The driver makes the device file; in containers that hide it, `nvidia-smi -L`
 * still lists what was handed in.
 */
export function gpuSeen(deviceFile = '/dev/nvidia0'): boolean {
  if (existsSync(deviceFile)) return true;
  const listed = spawnSync('nvidia-smi', ['-L'], { encoding: 'utf8', timeout: 10_000 });
  return listed.status === 0 && listed.stdout.includes('GPU 0');
}
