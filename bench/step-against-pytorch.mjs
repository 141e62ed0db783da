// Training steps of mimlab's graph engine beside Hugging Face's ViTMAEForPreTraining on PyTorch: both processes stay
// alive, rounds alternate, so that a change of the machine's speed meets both. See bench/README.md.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setup } from '../scripts/setup.mjs';
import { startPeer } from './peer-process.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true },
    precision: { type: 'string', default: 'fp32' },
    rounds: { type: 'string' },
    threads: { type: 'string', default: '2' },
    output: { type: 'string' },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);

/** The two configurations that docs/benchmarks.md speaks of. `steps` a round, `rounds` of each peer. */
const CASES = {
  small: { size: 32, patchSize: 4, width: 192, depth: 12, heads: 3, decoderWidth: 96, decoderDepth: 4, decoderHeads: 3, batch: 64, steps: 5, rounds: 8 },
  'vit-b16': { size: 224, patchSize: 16, width: 768, depth: 12, heads: 12, decoderWidth: 512, decoderDepth: 8, decoderHeads: 16, batch: 8, steps: 1, rounds: 9 },
};

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The Python that has the peer installed; makes its virtual environment in the cache on first use. */
function peerPython() {
  const requirements = readFileSync(join(here, 'requirements.txt'));
  const cache = process.env.MIMLAB_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mimlab');
  const folder = join(cache, `bench-${createHash('sha256').update(requirements).digest('hex').slice(0, 12)}`);
  const python = join(folder, 'bin', 'python');
  const whole = join(folder, 'installed');
  if (existsSync(whole)) return python;
  say('installing the PyTorch peer into its own virtual environment (once, some gigabytes)');
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const must = (command, args) => {
    const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
    if (status !== 0) {
      say(`${command} ${args.join(' ')} failed: the bench needs python3 with venv and pip, and PyPI within reach`);
      process.exit(1);
    }
  };
  must('python3', ['-m', 'venv', folder]);
  must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(here, 'requirements.txt')]);
  writeFileSync(`${whole}.new`, '');
  renameSync(`${whole}.new`, whole);
  return python;
}

/** Alternates rounds of both peers. */
async function measure(name, python) {
  const { rounds, steps, ...size } = CASES[name];
  const config = JSON.stringify({ ...size, threads: Number(options.threads), precision: options.precision, warmup: 3 });
  const pinned = { OMP_NUM_THREADS: options.threads, MKL_NUM_THREADS: options.threads, TF_CPP_MIN_LOG_LEVEL: '2' };
  say(`${name}: warming up both`);
  const peers = {
    pytorch: await startPeer(python, [join(here, 'pytorch_peer.py'), config], pinned),
    mimlab: await startPeer(process.execPath, [join(here, 'mimlab-peer.mjs'), config], pinned),
  };
  const seconds = { pytorch: [], mimlab: [] };
  const ratios = [];
  const peak = {};
  const total = Number(options.rounds ?? rounds);
  for (let round = 0; round < total; round++) {
    // The order within a round alternates as well.
    const order = round % 2 === 0 ? ['pytorch', 'mimlab'] : ['mimlab', 'pytorch'];
    const ofRound = {};
    for (const peer of order) {
      const report = await peers[peer].run(steps);
      seconds[peer].push(...report.seconds);
      ofRound[peer] = median(report.seconds);
      peak[peer] = report.peakMegabytes;
    }
    ratios.push(ofRound.mimlab / ofRound.pytorch);
    say(`${name}: round ${round + 1}/${total}  pytorch ${ofRound.pytorch.toFixed(3)} s  mimlab ${ofRound.mimlab.toFixed(3)} s`);
  }
  const versions = { pytorch: peers.pytorch.ready.version, mimlab: peers.mimlab.ready.version };
  for (const peer of Object.values(peers)) peer.stop();
  return {
    case: name,
    precision: options.precision,
    threads: Number(options.threads),
    batch: size.batch,
    pytorchSeconds: median(seconds.pytorch),
    mimlabSeconds: median(seconds.mimlab),
    ratio: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    peakMegabytes: peak,
    memoryRatio: peak.mimlab / peak.pytorch,
    rounds: total,
    versions,
  };
}

const asked = options.case ?? Object.keys(CASES);
for (const name of asked) {
  if (!(name in CASES)) {
    say(`unknown case '${name}'; known: ${Object.keys(CASES).join(', ')}`);
    process.exit(2);
  }
}
await setup({ log: say });
const python = peerPython();
const results = [];
for (const name of asked) results.push(await measure(name, python));

if (options.output !== undefined) writeFileSync(options.output, `${JSON.stringify(results, null, 2)}\n`);
if (options.json) {
  process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
} else {
  process.stdout.write('case      precision  PyTorch s  mimlab s  ratio (range)         peak MB PyTorch / mimlab\n');
  for (const r of results) {
    const range = r.ratioRange.map((value) => value.toFixed(2)).join('-');
    process.stdout.write(
      `${r.case.padEnd(10)}${r.precision.padEnd(11)}${r.pytorchSeconds.toFixed(3).padEnd(11)}${r.mimlabSeconds.toFixed(3).padEnd(10)}` +
        `${r.ratio.toFixed(2)} (${range})`.padEnd(22) +
        `${Math.round(r.peakMegabytes.pytorch)} / ${Math.round(r.peakMegabytes.mimlab)}\n`,
    );
  }
}
