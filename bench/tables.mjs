// Results as Markdown.
import { CASES, METHODS, PYTORCH, throwName } from './catalogue.mjs';
import { fastestPytorch } from './compare.mjs';
import { excesses } from './growth.mjs';
import { ratioSummary } from './statistics.mjs';

const number = (value, digits = 3) => (value === undefined ? '-' : Number(value.toPrecision(digits)).toLocaleString('en-US', { maximumFractionDigits: 6, useGrouping: false }));
const fixed = (value, places) => (value === undefined ? '-' : value.toFixed(places));
const megabytes = (bytes) => (bytes === undefined ? '-' : Math.round(bytes / 1e6).toString());
const spread = ({ median, range: [low, high] }, places = 2) =>
  low === high ? median.toFixed(places) : `${median.toFixed(places)} (${low.toFixed(places)}-${high.toFixed(places)})`;

/** A Markdown table; nothing without rows. */
export function table(head, rows) {
  if (rows.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Where and how results were taken, and how long that took, in one sentence. */
export function machineText({ machine: { cpu, cores, memoryBytes, node, load }, threads, taken, seconds, comparisons }) {
  const versions = [...new Set(comparisons.flatMap(({ peers }) => Object.values(peers).map(({ version }) => version.replace(/^graph: /, '').replace(/,.*$/, ''))))];
  return `Taken on ${taken.slice(0, 10)}: ${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, Node ${node}, ${threads} threads${versions.map((version) => `, ${version}`).join('')}; load average when it began: ${load.toFixed(2)}; the whole run took ${Math.round(seconds / 60)} minutes.`;
}

/** One row a goal. */
export function goalsTable(judged) {
  // Three places: a goal of 0.85 is missed by 0.854.
  const digits = (value) => (value >= 10 ? 1 : 3);
  return table(
    ['what', 'goal', 'measured (range of rounds)', 'met'],
    judged.map(({ what, atMost, measured, met }) => [
      what,
      `<= ${atMost}`,
      measured === undefined ? 'not measured' : `${spread(measured, digits(measured.median))}${measured.note === undefined ? '' : `, ${measured.note}`}`,
      met === undefined ? '-' : met ? 'yes' : '**no**',
    ]),
  );
}

const ofPytorch = (comparisons) => comparisons.filter(({ method, peers, failures }) => method === 'mae' && Object.keys(PYTORCH).some((name) => name in peers || name in failures));

/** Bare MAE beside PyTorch. */
export function pytorchTable(comparisons) {
  const rows = ofPytorch(comparisons).map((comparison) => {
    const { peers, failures, precision, batch, rounds, steps } = comparison;
    const [own, fastest] = [peers[throwName(0)], fastestPytorch(comparison)];
    const seconds = (name) => (name in failures ? 'failed' : fixed(peers[name]?.secondsPerStep.median, 3));
    const ratio = own === undefined || fastest === undefined ? '-' : `**${spread(ratioSummary(own.ofRounds, peers[fastest].ofRounds))}**, ${fastest}`;
    const memory = ['eager', 'compile'].map((name) => megabytes(peers[name]?.residentBytes)).join(' / ');
    return [`${CASES[comparison.caseName].title}, batch ${batch}`, precision, seconds('eager'), seconds('compile'), fixed(own?.secondsPerStep.median, 3), ratio, `${memory} / ${megabytes(own?.residentBytes)}`, `${rounds} of ${steps}`];
  });
  return table(['case', 'precision', 'eager, s', 'torch.compile, s', 'mimlab, s', 'mimlab over the faster', 'peak resident, MB: eager / compile / mimlab', 'rounds of steps'], rows);
}

/** Reasons why peers could not run, as a list. */
export const failureList = (comparisons) =>
  comparisons.flatMap(({ method, caseName, precision, failures }) => Object.entries(failures).map(([peer, reason]) => `- ${method}, ${CASES[caseName].title}, ${precision}, ${peer}: ${reason.split('\n')[0]}`)).join('\n');

const METHODS_HEAD = ['method', 'γ', 'V / K / T', 's a step', 'images/s', 'GFLOP/s', 'time over own full', 'forward MACs over own full', 'peak resident, MB', "step's own peak, MB (over own full)", 'trace + first step, s', 'the same at a second start, s', 'loader alone, images/s'];

const start = ({ traceSeconds, firstStepSeconds }) => `${fixed(traceSeconds, 2)} + ${fixed(firstStepSeconds, 1)}`;

function methodRows({ method, caseName: name, peers }) {
  const full = peers[throwName(0)];
  const title = METHODS[method][name].size === undefined ? method : `${method} (${METHODS[method][name].size})`;
  const detailed = Object.entries(peers).filter(([, { stepBytes }]) => stepBytes !== undefined);
  return detailed.map(([peerName, peer]) => {
    const { secondsPerStep, imagesPerSecond, gigaflops, macs, counts, residentBytes, stepBytes, compile, loader } = peer;
    const compared = full !== undefined && peer !== full;
    return [
      title, peerName.replace('γ ', ''), `${counts.visible} / ${counts.retained} / ${counts.thrown}`,
      fixed(secondsPerStep.median, 3), number(imagesPerSecond), number(gigaflops),
      compared ? spread(ratioSummary(peer.ofRounds, full.ofRounds)) : '-', compared ? fixed(macs.forward / full.macs.forward, 2) : '-',
      megabytes(residentBytes), `${megabytes(stepBytes)}${compared ? ` (${fixed(stepBytes / full.stepBytes, 2)})` : ''}`,
      start(compile), start(compile.again), number(loader.imagesPerSecond),
    ]; // prettier-ignore
  });
}

/** Every method with every part thrown, a table for each case and precision, of comparisons that looked at details. */
export function methodsTables(comparisons) {
  const groups = new Map();
  for (const comparison of comparisons) {
    const title = `${CASES[comparison.caseName].title}, batch ${comparison.batch}, ${comparison.precision}`;
    groups.set(title, [...(groups.get(title) ?? []), ...methodRows(comparison)]);
  }
  const tables = [...groups].filter(([, rows]) => rows.length > 0).map(([title, rows]) => `**${title}**\n\n${table(METHODS_HEAD, rows)}`);
  return tables.join('\n\n');
}

/** Steps with the loader and without, and where the loader's time goes. */
export function loadingTable(loading) {
  const stages = (alone) => Object.entries(alone.secondsPerImage).map(([stage, seconds]) => `${stage} ${number(1e6 * seconds)}`).join(', ');
  const rows = loading.map(({ caseName: name, batch, without, with: fed, ratio, alone }) => [
    `${CASES[name].title}, batch ${batch}`, fixed(without.median, 3), fixed(fed.median, 3), spread(ratio), number(alone.imagesPerSecond), number(batch / without.median), stages(alone),
  ]); // prettier-ignore
  return table(['MAE, γ 0.5', 'step without, s', 'with loader, s', 'ratio', 'loader alone, images/s', 'step, images/s', 'one worker, µs an image'], rows);
}

/** Growth in numbers. */
export function growthTable(points) {
  const rows = [{ ...points[0] }, ...excesses(points)].map(({ tokens, batch, secondsPerStep, operations, excess }) => [
    String(tokens), String(batch), number(operations / 1e9), fixed(secondsPerStep.median, 3), number(operations / secondsPerStep.median / 1e9), excess === undefined ? 'anchor' : spread(excess),
  ]); // prettier-ignore
  return table(['tokens', 'batch', 'GFLOP a step', 's a step', 'GFLOP/s', 'time over prediction'], rows);
}
