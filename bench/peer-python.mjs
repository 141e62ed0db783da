// The Python that has the PyTorch peer installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes the peer's virtual environment in mimlab's cache folder on first use.
 * @returns its Python, and a folder where torch.compile keeps what it compiled
 * @throws Error naming what is needed
 */
export function peerPython(requirementsFile, cache, say) {
  const folder = join(cache, `bench-${createHash('sha256').update(readFileSync(requirementsFile)).digest('hex').slice(0, 12)}`);
  const python = join(folder, 'bin', 'python');
  const whole = join(folder, 'installed');
  if (!existsSync(whole)) {
    say('installing the PyTorch peer into its own virtual environment (once, some gigabytes)');
    mkdirSync(cache, { recursive: true });
    rmSync(folder, { recursive: true, force: true });
    must('python3', ['-m', 'venv', folder]);
    must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsFile]);
    writeFileSync(`${whole}.new`, '');
    renameSync(`${whole}.new`, whole);
  }
  return { python, compiled: join(folder, 'inductor') };
}

function must(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: PyTorch peers need python3 with venv and pip, and PyPI within reach; --peers none leaves them out`);
}
