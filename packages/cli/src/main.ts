#!/usr/bin/env node
import { describeFailure, EXIT } from './failure.js';
import { createProgram } from './program.js';
import { createTerminal } from './terminal.js';

const terminal = createTerminal();
const verbose = process.argv.includes('--verbose') || Boolean(process.env['MIMLAB_DEBUG']);

function fail(error: unknown): void {
  const { code, text } = describeFailure(error, verbose);
  if (text !== '') terminal.note(text);
  process.exitCode = code;
}

// What slips past a command (a worker's late error, say) is told in the same form.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    fail(error);
    process.exit(process.exitCode ?? EXIT.failed);
  });
}

// Started by a grid: when that process is gone, this one keeps what it has done and stops.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

try {
  await createProgram(terminal).parseAsync(process.argv);
} catch (error) {
  fail(error);
}
