// The tests against the official code's numbers alone; `npm run parity -- mae adamw` runs those subjects.
// MIMLAB_GOLDEN names another folder of cases, relative to where the command was given.
import { resolve } from 'node:path';
import { reportFailure } from './setup.mjs';
import { runTests } from './test.mjs';

const { MIMLAB_GOLDEN: golden, INIT_CWD: callersFolder = process.cwd() } = process.env;
const environment = golden ? { MIMLAB_GOLDEN: resolve(callersFolder, golden) } : {};
const args = process.argv.slice(2);
const subjects = args.filter((arg) => !arg.startsWith('-'));
const files = subjects.length > 0 ? subjects.map((subject) => `integration/src/parity/${subject}`) : ['integration/src/parity/'];
await runTests([...files, ...args.filter((arg) => arg.startsWith('-'))], environment).catch(reportFailure);
