// Makes a clone ready to run: dependencies, the engine's build, libtensorflow, tfjs-node's binding.
// Plain Node without dependencies, as it is what installs them. Quick when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(new URL('..', import.meta.url)));

/** Runs a program in the clone with its output on the terminal. Throws if it fails. */
export function runProgram(program, args, environment = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  if (status !== 0) throw new SetupFailure(`${[program, ...args].join(' ').replace(`${root}/`, '')} failed${error ? `: ${error.message}` : ''}`);
}

/** Path of a program that a dependency brings. */
export const binary = (name) => join(root, 'node_modules', '.bin', name);

/** Builds every package; nx skips what is built already. */
export function buildAll() {
  runProgram(binary('nx'), ['run-many', '-t', 'build', '--output-style=static'], { NX_NO_CLOUD: 'true', NX_DAEMON: 'false' });
}

export class SetupFailure extends Error {}

/**
 * Sets the clone up. Missing TensorFlow is not an error: what needs it says so, the rest works without.
 * @param {{ log?: (line: string) => void, cuda?: boolean | 'auto' }} options
 * @returns {Promise<{ tensorflow: boolean, binding: boolean, failed: boolean }>} what there is now; `failed` if
 *   something went wrong that is not just a missing tool.
 */
export async function setup({ log = console.log, cuda = 'auto' } = {}) {
  checkNode(log);
  installDependencies(log);
  runProgram(binary('tsc'), ['-b', 'packages/engine/tsconfig.lib.json']);
  return setUpTensorflow(log, cuda);
}

function checkNode(log) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new SetupFailure(`Node ${process.versions.node} is too old: mimlab needs 20.19 or newer.`);
  if (major > 22) log(`Node ${process.versions.node} is newer than the versions mimlab is tested with (20.19 to 22).`);
}

function installDependencies(log) {
  if (dependenciesInstalled()) return;
  log('installing dependencies (npm ci)');
  // Under npm the same npm that runs us; .npmrc says ignore-scripts as well, but a user's settings may not.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.env['npm_execpath'];
  if (npm?.endsWith('.js')) runProgram(process.execPath, [npm, ...args]);
  else runProgram('npm', args);
}

/** npm notes in node_modules what it put there; times of files say nothing after a checkout. */
export function dependenciesInstalled(folder = root) {
  const installedFile = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const isDependency = (path) => path.startsWith('node_modules/') || path.includes('/node_modules/');
  // Optional packages of other platforms are locked, not installed.
  const lacking = Object.entries(locked).filter(([path, { version, link, optional }]) => isDependency(path) && !link && (installed[path] ? installed[path].version !== version : !optional));
  return lacking.length === 0;
}

async function setUpTensorflow(log, cuda) {
  const { installTensorflow, buildBinding, buildKernels, bindingState, tryBinding, MissingToolError, oneLine } = await import('../packages/engine/dist/install/index.js');
  const state = { tensorflow: false, binding: false, failed: false };
  const attempt = async (work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof MissingToolError)) state.failed = true;
      log(oneLine(error));
    }
  };
  let location;
  await attempt(async () => {
    location = await installTensorflow({ cuda, log });
    state.tensorflow = true;
  });
  if (!location) return state;
  await attempt(() => buildKernels(location, { log }));
  await attempt(async () => {
    const built = bindingState(location) !== 'fits';
    await buildBinding(location, { log });
    // Tried once, when it is new: loading it takes a second.
    const { works, problem } = built ? tryBinding(location) : { works: true };
    state.binding = works;
    if (!works) throw new Error(`the binding for eager TensorFlow was compiled but does not load (${problem}); the graph engine works without, eager steps run on wasm.`);
  });
  return state;
}

async function main(args) {
  const unknown = args.find((arg) => !['--cuda', '--no-cuda'].includes(arg));
  if (unknown) throw new SetupFailure(`unknown option ${unknown}; there are --cuda and --no-cuda (default: CUDA where a GPU is seen).`);
  const cuda = args.includes('--cuda') ? true : args.includes('--no-cuda') ? false : 'auto';
  const { tensorflow, binding, failed } = await setup({ cuda });
  const ready = [tensorflow && 'graph engine', binding && 'eager TensorFlow', 'eager wasm'].filter(Boolean);
  console.log(`ready: ${ready.join(', ')}`);
  if (failed) process.exitCode = 1;
}

/** Ends a script with one line where the mistake is not the script's own. */
export function reportFailure(error) {
  console.error(error instanceof SetupFailure ? error.message : error);
  process.exitCode = 1;
}

/** Whether a module is what node was started with, rather than imported. */
export const isMain = (url) => process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);

if (isMain(import.meta.url)) await main(process.argv.slice(2)).catch(reportFailure);
