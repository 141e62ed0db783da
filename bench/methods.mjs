// Step times of the six methods, bare and wrapped by PR-MIM with half of all tokens thrown. For each method two
// processes stay alive and rounds alternate, so that a change of the machine's speed meets both; one method after the
// other. Prints a Markdown table, or JSON with --json. Needs a build and TensorFlow (npm run setup, npm run build).
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPeer } from './peer-process.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    method: { type: 'string', multiple: true },
    batch: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '8' },
    steps: { type: 'string', default: '4' },
    threads: { type: 'string', default: '2' },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};
const whole = (name) => {
  const value = Number(options[name]);
  return Number.isInteger(value) && value > 0 ? value : fail(`--${name}: a whole number from 1 up is expected, not '${options[name]}'`);
};
const [batch, rounds, steps, threads] = ['batch', 'rounds', 'steps', 'threads'].map(whole);

const vit = ['patchSize=8', 'width=192', 'heads=3'];
const mae = [...vit, 'depth=6', 'decoderWidth=128', 'decoderDepth=4', 'decoderHeads=4'];
/** Settings of `method:` over its small CIFAR-10 preset: images of 96 x 96, 12 x 12 tokens for the plan, as deep as two cores bear. */
const METHODS = {
  mae,
  simmim: ['patchSize=8', 'maskUnit=16', 'width=192', 'heads=3', 'depth=6'],
  greenmim: ['patchSize=4', 'window=6', 'width=64', 'decoderWidth=128'],
  localmim: [...vit, 'depth=6', 'decoderWidth=64'],
  mff: mae,
  tec: [...vit, 'depth=6', 'adapterBlocks=3', 'decoderWidth=128', 'decoderHeads=4', 'teacher.checkpoint=null', 'teacher.width=192', 'teacher.heads=3', 'teacher.depth=6'],
};
const chosen = options.method ?? Object.keys(METHODS);
const unknown = chosen.filter((name) => !(name in METHODS));
if (unknown.length > 0) fail(`no method ${unknown.join(', ')}; there are ${Object.keys(METHODS).join(', ')}`);

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

async function measure(method) {
  const set = ['data.size=96', `train.batch=${batch}`, ...METHODS[method].map((setting) => `method.${setting}`)];
  const start = (preset, more) => startPeer(process.execPath, [`${here}method-peer.mjs`, JSON.stringify({ preset, set: [...set, ...more], threads, warmup: 3 })], { TF_CPP_MIN_LOG_LEVEL: '2' });
  say(`${method}: warming up`);
  const peers = {};
  const seconds = { bare: [], wrapped: [] };
  const ratios = [];
  try {
    peers.bare = await start(`${method}/cifar10-small`, []);
    peers.wrapped = await start(`${method}/cifar10-small-pr50`, ['wrap.0.aggregator.kernel=7']);
    for (let round = 0; round < rounds; round++) {
      const ofRound = {};
      // The order within a round alternates as well.
      for (const name of round % 2 === 0 ? ['bare', 'wrapped'] : ['wrapped', 'bare']) {
        const { seconds: timed } = await peers[name].run(steps);
        seconds[name].push(...timed);
        ofRound[name] = median(timed);
      }
      ratios.push(ofRound.wrapped / ofRound.bare);
      say(`${method}: round ${round + 1} of ${rounds}, ${(1000 * ofRound.bare).toFixed(1)} ms bare, ${(1000 * ofRound.wrapped).toFixed(1)} ms wrapped`);
    }
  } finally {
    for (const peer of Object.values(peers)) peer.stop();
  }
  return {
    bareMs: 1000 * median(seconds.bare),
    wrappedMs: 1000 * median(seconds.wrapped),
    // Median of the rounds' own ratios: drift of the machine's speed cancels within a round.
    timeRatio: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    macRatio: peers.wrapped.ready.macs / peers.bare.ready.macs,
    macsBare: peers.bare.ready.macs,
    counts: peers.wrapped.ready.counts,
    engine: peers.bare.ready.version,
  };
}

const methods = {};
for (const method of chosen) methods[method] = await measure(method);
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, threads, batch, rounds, steps, node: process.version };
if (options.json) process.stdout.write(`${JSON.stringify({ machine, methods }, null, 2)}\n`);
else {
  const lines = Object.entries(methods).map(
    ([name, { bareMs, wrappedMs, timeRatio, ratioRange, macRatio }]) =>
      `| ${name} | ${bareMs.toFixed(1)} | ${wrappedMs.toFixed(1)} | ${timeRatio.toFixed(3)} (${ratioRange.map((ratio) => ratio.toFixed(2)).join(' to ')}) | ${macRatio.toFixed(3)} |`,
  );
  say(`${machine.cpu}, ${threads} threads, batch ${batch}, ${rounds} rounds of ${steps} steps`);
  process.stdout.write(['| method | bare, ms a step | wrapped, ms a step | wrapped over bare (range of rounds) | forward cost, wrapped over bare |', '| --- | --- | --- | --- | --- |', ...lines, ''].join('\n'));
}
