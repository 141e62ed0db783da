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

/** Starts mimlab on one configuration: { preset, set }. */
export const startMimlab = ({ preset, set }, { precision, tools }) =>
  startPeer(process.execPath, [`${here}mimlab-peer.mjs`, JSON.stringify({ preset, set: [...set, ...tools.set], threads: tools.threads, precision, warmup: WARMUP })], pinned(tools.threads));

function startPytorch(name, caseName, { precision, tools }) {
  const { python, compiled } = peerPython(`${here}requirements.txt`, tools.say);
  const config = { ...MAE_MODELS[caseName], batch: CASES[caseName].batch, threads: tools.threads, precision, warmup: WARMUP, ...PYTORCH[name] };
  return startPeer(python, [`${here}pytorch_peer.py`, JSON.stringify(config)], { ...pinned(tools.threads), TORCHINDUCTOR_CACHE_DIR: compiled });
}

/** Operations of a step: twice the traced multiply-accumulates, three times for what is differentiated, once for what is fixed. */
export const stepOperations = ({ forward, fixed }, batch) => 2 * batch * (3 * (forward - fixed) + fixed);

/** Figures of one peer, from its answers. */
function figures(ready, { ofRounds, steps, last }, batch) {
  const secondsPerStep = summary(steps);
  const { macs, counts, version, compile } = ready;
  return {
    version,
    ofRounds,
    secondsPerStep,
    imagesPerSecond: batch / secondsPerStep.median,
    residentBytes: last.residentBytes,
    compile,
    ...(macs === undefined ? {} : { macs, counts, gigaflops: stepOperations(macs, batch) / secondsPerStep.median / 1e9 }),
  };
}

/**
 * @param of method, caseName, precision, gammas, pytorch (names of PyTorch peers beside bare MAE), details: also what
 *   the step allocates and what the loader alone does
 * @param tools threads, set, rounds, folders, say
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
    for (const gamma of gammas) await start(throwName(gamma), () => startMimlab(configuration(method, caseName, gamma, tools.folders), { precision, tools }));
    if (Object.keys(peers).length === 0) return { method, caseName, precision, batch, steps, rounds: 0, peers: {}, failures };
    const runners = Object.fromEntries(Object.entries(peers).map(([peer, { ask }]) => [peer, () => ask({ steps })]));
    const taken = await interleave(runners, { rounds: tools.rounds ?? rounds, seconds, say });
    const results = Object.fromEntries(Object.entries(peers).map(([peer, { ready }]) => [peer, figures(ready, taken[peer], batch)]));
    // After the last round: the tracer and the loader leave memory behind.
    if (details) {
      for (const gamma of gammas.map(throwName).filter((peer) => peer in peers)) {
        Object.assign(results[gamma], await peers[gamma].ask({ profile: true }), { loader: await peers[gamma].ask({ loader: 8 }) });
      }
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
