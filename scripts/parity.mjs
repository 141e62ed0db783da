// The tests against the official code's numbers alone. MIMLAB_GOLDEN names another folder of cases, relative to where
// the command was given.
import { resolve } from 'node:path';
import { reportFailure } from './setup.mjs';
import { runTests } from './test.mjs';

const { MIMLAB_GOLDEN: golden, INIT_CWD: callersFolder = process.cwd() } = process.env;
const environment = golden ? { MIMLAB_GOLDEN: resolve(callersFolder, golden) } : {};
await runTests(['integration/src/parity', ...process.argv.slice(2)], environment).catch(reportFailure);
