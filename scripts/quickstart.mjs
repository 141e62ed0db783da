// From a clean clone to a trained masked autoencoder: set-up, build, then `mimlab quickstart`. Arguments go to it.
import { join } from 'node:path';
import { buildAll, isMain, reportFailure, root, runProgram, setup } from './setup.mjs';

async function main(args) {
  await setup();
  buildAll();
  runProgram(process.execPath, [join(root, 'packages', 'cli', 'dist', 'main.js'), 'quickstart', ...args]);
}

if (isMain(import.meta.url)) await main(process.argv.slice(2)).catch(reportFailure);
