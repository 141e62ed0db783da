import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bindingState } from './binding.js';
import { cacheFolder, type Environment } from './cache-folder.js';
import { gpuSeen } from './gpu.js';
import { toolVersions, type ToolVersions } from './run-tool.js';
import { oneLine } from './setup-error.js';
import { findTensorflow, tfjsNodeFolder, type TensorflowLocation } from './tensorflow-location.js';

/** What is here, what is missing, and what that means: the facts behind `mimlab doctor`. */
export interface EnvironmentReport {
  readonly node: string;
  readonly platform: string;
  readonly tools: ToolVersions;
  readonly gpu: boolean;
  readonly cacheFolder: string;
  readonly tensorflow?: TensorflowLocation;
  /** What the library itself says, from a process that loaded it. */
  readonly tensorflowVersion?: string;
  /** Whether the graph engine, eager TensorFlow and eager wasm can run here. */
  readonly runs: { readonly graph: boolean; readonly eagerTensorflow: boolean; readonly wasm: boolean };
  /** One line for each thing that is missing: what, what works without it, how to get it. */
  readonly missing: readonly string[];
}

/** Looks at the machine; takes a second or two, as library, binding and wasm are tried in a process of their own. */
export function inspectEnvironment(environment: Environment = process.env): EnvironmentReport {
  const tools = toolVersions(environment);
  const missing: string[] = [];
  let tensorflow: TensorflowLocation | undefined;
  try {
    tensorflow = findTensorflow({ environment });
  } catch (error) {
    missing.push(oneLine(error));
  }
  const tried = tryLoading(tensorflow, environment);
  const runs = { graph: tried.library.version !== undefined, eagerTensorflow: tried.binding.works, wasm: tried.wasm.works };

  if (tools.python3 === undefined || tools.pip === undefined) {
    const tool = tools.python3 === undefined ? 'python3 with pip' : 'pip';
    missing.push(`${tool}: only needed to download TensorFlow; everything else works without. Get it with 'apt install python3-pip' or the like.`);
  }
  if (tools.gxx === undefined) {
    missing.push(`g++: only needed to compile the binding of eager TensorFlow; the graph engine works without. Get it with 'apt install g++' or the like.`);
  }
  if (tensorflow === undefined) {
    missing.push(`libtensorflow: without it steps run eagerly on wasm, slowly. Get it with 'npm run setup'.`);
  } else if (!runs.graph) {
    missing.push(`libtensorflow at ${tensorflow.folder} cannot be loaded (${tried.library.problem}); steps run eagerly on wasm. Get another with 'npm run setup', or mend MIMLAB_TENSORFLOW.`);
  }
  if (tensorflow !== undefined && runs.graph && !runs.eagerTensorflow) {
    missing.push(`the binding for eager TensorFlow (${tried.binding.problem}); the graph engine works without, eager steps run on wasm. Get it with 'npm run setup'.`);
  }
  if (!runs.wasm) missing.push(`the wasm backend (${tried.wasm.problem}): it needs nothing but its package. Get it with 'npm ci'.`);
  return {
    node: process.version,
    platform: `${process.platform}/${process.arch}`,
    tools,
    gpu: gpuSeen(),
    cacheFolder: cacheFolder(environment),
    ...(tensorflow && { tensorflow }),
    ...(tried.library.version && { tensorflowVersion: tried.library.version }),
    runs,
    missing,
  };
}

/** The report as lines for a terminal, missing things last. */
export function describeEnvironment(report: EnvironmentReport): readonly string[] {
  const { tools, tensorflow, runs } = report;
  const yes = (works: boolean): string => (works ? 'works' : 'does not work');
  const library = tensorflow ? `${report.tensorflowVersion ?? 'not loadable'}, ${tensorflow.folder} (from ${tensorflow.source})` : 'not found';
  return [
    `node              ${report.node} on ${report.platform}`,
    `python3, pip      ${tools.python3 ?? 'not found'}, ${tools.pip ?? 'pip not found'}`,
    `g++               ${tools.gxx ?? 'not found'}`,
    `GPU               ${report.gpu ? 'seen' : 'none seen'}`,
    `cache             ${report.cacheFolder}`,
    `TensorFlow        ${library}`,
    `graph engine      ${yes(runs.graph)}`,
    `eager TensorFlow  ${yes(runs.eagerTensorflow)}`,
    `eager wasm        ${yes(runs.wasm)}`,
    ...report.missing.map((line) => `missing: ${line}`),
  ];
}

interface Tried {
  readonly library: { readonly version?: string; readonly problem?: string };
  readonly binding: { readonly works: boolean; readonly problem?: string };
  readonly wasm: { readonly works: boolean; readonly problem?: string };
}

/**
 * Runs in a process of its own: a library that does not fit can end the process. Prints what it has after each part, so
 * that the last line tells how far it came.
 */
const PROBE = `
const { createRequire } = require('node:module');
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const [root, library, tryBinding] = process.argv.slice(1);
const load = createRequire(root);
const tried = { library: {}, binding: { works: false }, wasm: { works: false } };
const tell = () => console.log(JSON.stringify(tried));
const line = (error) => String(error.message ?? error).split('\\n')[0];
const twoTimesThree = (tf) => tf.matMul(tf.tensor2d([[2]]), tf.tensor2d([[3]])).dataSync()[0] === 6;
(async () => {
  try {
    const tf = load('@tensorflow/tfjs');
    load('@tensorflow/tfjs-backend-wasm');
    tried.wasm.works = (await tf.setBackend('wasm')) && twoTimesThree(tf);
  } catch (error) { tried.wasm.problem = line(error); }
  tell();
  if (!library) return;
  try { tried.library.version = load('koffi').load(library).func('const char *TF_Version()')(); }
  catch (error) { tried.library.problem = line(error); }
  tell();
  if (!tryBinding) return;
  try { tried.binding.works = twoTimesThree(load('@tensorflow/tfjs-node-gpu')); }
  catch (error) { tried.binding.problem = line(error); }
  tell();
})();`;

function tryLoading(tensorflow: TensorflowLocation | undefined, environment: Environment): Tried {
  const state = tensorflow && bindingState(tensorflow);
  const root = fileURLToPath(new URL('../../package.json', import.meta.url));
  const args = ['-e', PROBE, root, tensorflow?.library ?? '', state === 'fits' ? 'yes' : ''];
  const { stdout, status, signal } = spawnSync(process.execPath, args, {
    env: { ...environment, TF_CPP_MIN_LOG_LEVEL: '3' } as NodeJS.ProcessEnv,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const nothing: Tried = { library: {}, binding: { works: false }, wasm: { works: false, problem: 'node cannot start a process' } };
  const last = stdout?.trim().split('\n').at(-1);
  const tried = last ? (JSON.parse(last) as Tried) : nothing;
  const crash = status === 0 ? undefined : `the process that tried it ended with ${signal ?? status}`;
  const absent = state === 'other-library' ? 'it belongs to another library' : state === 'absent' ? 'not compiled' : undefined;
  return {
    wasm: tried.wasm,
    library: tried.library.version ? tried.library : { problem: tried.library.problem ?? crash ?? 'unknown' },
    binding: tried.binding.works ? tried.binding : { works: false, problem: tried.binding.problem ?? absent ?? crash ?? 'not tried' },
  };
}

/** Whether tfjs-node-gpu loads and computes in a process that holds the library already; what is the matter otherwise. */
export function tryBinding(location: TensorflowLocation, environment: Environment = process.env): { readonly works: boolean; readonly problem?: string } {
  return tfjsNodeFolder() === undefined ? { works: false, problem: '@tensorflow/tfjs-node-gpu is not installed' } : tryLoading(location, environment).binding;
}
