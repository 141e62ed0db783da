import { spawn, spawnSync } from 'node:child_process';
import type { Environment } from './cache-folder.js';

export interface ToolOutcome {
  /** Exit code; undefined if the program could not be started or was killed. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end without blocking the event loop. Never rejects: what went wrong is in the outcome. */
export function runTool(program: string, args: readonly string[], environment: Environment, folder?: string): Promise<ToolOutcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: environment as NodeJS.ProcessEnv, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => resolve({ status: undefined, stdout, stderr: stderr || error.message }));
    child.on('close', (code) => resolve({ status: code ?? undefined, stdout, stderr }));
  });
}

/** Programs that set-up needs, and what they are needed for. */
export interface ToolVersions {
  readonly python3?: string;
  readonly pip?: string;
  readonly gxx?: string;
}

/** First line of each tool's version, absent where the tool is. */
export function toolVersions(environment: Environment = process.env): ToolVersions {
  const version = (program: string, ...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync(program, args, { env: environment as NodeJS.ProcessEnv, encoding: 'utf8', timeout: 20_000 });
    return status === 0 ? stdout.split('\n')[0]?.trim() : undefined;
  };
  const python3 = version('python3', '--version');
  const pip = python3 === undefined ? undefined : version('python3', '-m', 'pip', '--version')?.split(' from ')[0];
  const gxx = version('g++', '--version');
  return { ...(python3 && { python3 }), ...(pip && { pip }), ...(gxx && { gxx }) };
}
