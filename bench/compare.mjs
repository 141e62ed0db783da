// One comparison: peers that train the same case, timed in turn.
import { fileURLToPath } from 'node:url';
import { CASES, configuration, MAE_MODELS, PYTORCH, throwName } from './catalogue.mjs';
import { interleave } from './interleave.mjs';
import { peerPython } from './peer-python.mjs';
import { startPeer } from './peer-process.mjs';
import { summary } from './statistics.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const WARMUP = 3;

/** Environment that pins both libraries to their threads. */
const pinned = (threads) => ({ OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads), TF_CPP_MIN_LOG_LEVEL: '2' });

/**
 * Starts mimlab on one configuration, { preset, set }.
 * @param cache folder of an earlier start, whose compiled step is used again; else a folder without any
 */
export async function startMimlab({ preset, set }, { precision, tools, cache, warmup = WARMUP }) {
  const { emptyStepCache } = await import('./step-cache.mjs');
  const folder = cache ?? emptyStepCache(tools.folder);
  const request = { preset, set: [...set, ...tools.set], threads: tools.threads, precision, warmup };
  const peer = await startPeer(process.execPath, [`${here}mimlab-peer.mjs`, JSON.stringify(request)], { ...pinned(tools.threads), MIMLAB_CACHE: folder });
  return { ...peer, cache: folder };
}

/** What a second start of the same configuration takes, with the step that the first one compiled. */
async function startAgain(configured, { precision, tools, cache }) {
  const peer = await startMimlab(configured, { precision, tools, cache, warmup: 1 });
  peer.stop();
  return peer.ready.compile;
}

async function startPytorch(name, caseName, { precision, tools }) {
  const { cacheFolder } = await import('@mimlab/engine');
  const { python, compiled } = peerPython(`${here}requirements.txt`, cacheFolder(), tools.say);
  const config = { ...MAE_MODELS[caseName], batch: CASES[caseName].batch, threads: tools.threads, precision, warmup: WARMUP, ...PYTORCH[name] };
  return startPeer(python, [`${here}pytorch_peer.py`, JSON.stringify(config)], { ...pinned(tools.threads), TORCHINDUCTOR_CACHE_DIR: compiled });
}

/** Operations of a step: twice the traced multiply-accumulates, three times for what is differentiated, once for what is fixed. */
export const stepOperations = ({ forward, fixed }, batch) => 2 * batch * (3 * (forward - fixed) + fixed);

/** Figures of one peer, from its answers. */
function figures({ version, compile }, { ofRounds, steps, last }, batch) {
  const secondsPerStep = summary(steps);
  return { version, ofRounds, secondsPerStep, imagesPerSecond: batch / secondsPerStep.median, residentBytes: last.residentBytes, compile };
}

/** What only mimlab's peers tell. */
async function ownFigures({ ask }, { secondsPerStep }, batch) {
  const { macs, counts } = await ask({ cost: true });
  return { macs, counts, gigaflops: stepOperations(macs, batch) / secondsPerStep.median / 1e9 };
}

/**
 * @param of method, caseName, precision, gammas, pytorch (names of PyTorch peers beside bare MAE), details: also what
 *   the step allocates, what the loader alone does, and how long a second start takes
 * @param tools threads, set, rounds, folder (temporary), folders (of images), say
 * @returns figures by peer; peers that could not run stand in `failures` with the reason
 */
export async function compare({ method, caseName, precision, gammas, pytorch = [], details = true }, tools) {
  const { batch, steps, seconds, rounds } = CASES[caseName];
  const name = `${method}, ${caseName}, ${precision}`;
  const say = (text) => tools.say(`${name}: ${text}`);
  const peers = {};
  const failures = {};
  const start = async (peer, begin) => {
    say(`starting ${peer}`);
    try {
      peers[peer] = await begin();
    } catch (error) {
      failures[peer] = error.message.trim();
      say(`${peer} cannot run: ${failures[peer].split('\n')[0]}`);
    }
  };
  try {
    for (const peer of pytorch) await start(peer, () => startPytorch(peer, caseName, { precision, tools }));
    const configured = (gamma) => configuration(method, caseName, gamma, tools.folders);
    for (const gamma of gammas) await start(throwName(gamma), () => startMimlab(configured(gamma), { precision, tools }));
    if (Object.keys(peers).length === 0) return { method, caseName, precision, batch, steps, rounds: 0, peers: {}, failures };
    const runners = Object.fromEntries(Object.entries(peers).map(([peer, { ask }]) => [peer, () => ask({ steps })]));
    const taken = await interleave(runners, { rounds: tools.rounds ?? rounds, seconds, say });
    const results = Object.fromEntries(Object.entries(peers).map(([peer, { ready }]) => [peer, figures(ready, taken[peer], batch)]));
    // After the last round: counting, the tracer and the loader leave memory behind.
    for (const gamma of gammas.filter((one) => throwName(one) in peers)) {
      const name = throwName(gamma);
      const { ask, stop, cache } = peers[name];
      Object.assign(results[name], await ownFigures(peers[name], results[name], batch));
      if (!details) continue;
      Object.assign(results[name], await ask({ profile: true }), { loader: await ask({ loader: 8 }) });
      stop();
      results[name].compile.again = await startAgain(configured(gamma), { precision, tools, cache });
    }
    return { method, caseName, precision, batch, steps, rounds: Object.values(results)[0].ofRounds.length, peers: results, failures };
  } finally {
    for (const { stop } of Object.values(peers)) stop();
  }
}

/** The PyTorch peer with the shortest median; undefined if none ran. */
export function fastestPytorch({ peers }) {
  const names = Object.keys(PYTORCH).filter((name) => name in peers);
  return names.sort((a, b) => peers[a].secondsPerStep.median - peers[b].secondsPerStep.median)[0];
}
