// What mimlab promises on two cores, and whether results keep it.
import { PYTORCH, throwName } from './catalogue.mjs';
import { fastestPytorch } from './compare.mjs';
import { worstExcess } from './growth.mjs';
import { ratioSummary } from './statistics.mjs';

const single = (median) => ({ median, range: [median, median] });

/** The comparison of bare MAE with PyTorch, if both ran. */
function againstPytorch(results, caseName, precision) {
  const comparison = results.comparisons.find(
    (one) => one.method === 'mae' && one.caseName === caseName && one.precision === precision && fastestPytorch(one) !== undefined && throwName(0) in one.peers,
  );
  return comparison && { ...comparison, own: comparison.peers[throwName(0)], fastest: fastestPytorch(comparison) };
}

const stepTime = (caseName, precision) => (results) => {
  const found = againstPytorch(results, caseName, precision);
  if (found === undefined) return undefined;
  const { own, peers, fastest } = found;
  const over = (name) => ratioSummary(own.ofRounds, peers[name].ofRounds);
  const others = Object.keys(PYTORCH).filter((name) => name in peers && name !== fastest);
  return { ...over(fastest), note: `against ${fastest}${others.map((name) => ` (${name}: ${over(name).median.toFixed(2)})`).join('')}` };
};

/** Against the PyTorch peer that holds least. */
const residentMemory = (precision) => (results) => {
  const found = againstPytorch(results, 'vit-b16', precision);
  if (found === undefined) return undefined;
  const over = (name) => found.own.residentBytes / found.peers[name].residentBytes;
  const [least] = Object.keys(PYTORCH).filter((name) => name in found.peers).sort((a, b) => over(b) - over(a));
  return { ...single(over(least)), note: `against ${least}` };
};

const thrownHalf = (method, ratio) => (results) => {
  const comparison = results.comparisons.find((one) => one.method === method && one.caseName === 'vit-b16' && one.precision === 'fp32' && throwName(0.5) in one.peers && throwName(0) in one.peers);
  return comparison && ratio(comparison.peers[throwName(0.5)], comparison.peers[throwName(0)]);
};
const ofTime = (wrapped, bare) => ratioSummary(wrapped.ofRounds, bare.ofRounds);
const ofBytes = (wrapped, bare) => single(wrapped.stepBytes / bare.stepBytes);

const loading = (results, caseName) => results.loading?.find((one) => one.caseName === caseName);

function samplingShare(results) {
  const loaded = loading(results, 'vit-b16');
  if (loaded === undefined || results.sampling === undefined) return undefined;
  const wholeMicroseconds = 1e6 * Object.values(loaded.alone.secondsPerImage).reduce((a, b) => a + b, 0);
  const percent = (microseconds) => (100 * microseconds) / wholeMicroseconds;
  const { median, range } = results.sampling.microseconds;
  return { median: percent(median), range: range.map(percent) };
}

/** Goals: what, the largest value that meets it, and the value in the results; undefined if it was not measured. */
export const GOALS = [
  { what: 'step over the fastest PyTorch, small, fp32', atMost: 0.85, value: stepTime('small', 'fp32') },
  { what: 'step over the fastest PyTorch, ViT-B/16, fp32', atMost: 0.88, value: stepTime('vit-b16', 'fp32') },
  { what: 'step over PyTorch bf16 autocast, small, bf16', atMost: 0.8, value: stepTime('small', 'bf16') },
  { what: 'step over PyTorch bf16 autocast, ViT-B/16, bf16', atMost: 0.95, value: stepTime('vit-b16', 'bf16') },
  { what: 'peak resident memory over PyTorch, ViT-B/16, fp32', atMost: 1, value: residentMemory('fp32') },
  { what: 'peak resident memory over PyTorch, ViT-B/16, bf16', atMost: 0.95, value: residentMemory('bf16') },
  { what: 'PR-MIM γ 0.5 over full MAE, ViT-B/16: time', atMost: 0.76, value: thrownHalf('mae', ofTime) },
  { what: "PR-MIM γ 0.5 over full MAE, ViT-B/16: peak of the step's own bytes", atMost: 0.57, value: thrownHalf('mae', ofBytes) },
  { what: 'PR-MIM γ 0.5 over full SimMIM, ViT-B/16: time', atMost: 0.55, value: thrownHalf('simmim', ofTime) },
  { what: 'step with loader over step without, small', atMost: 1.03, value: (results) => loading(results, 'small')?.ratio },
  { what: 'step with loader over step without, ViT-B/16', atMost: 1.03, value: (results) => loading(results, 'vit-b16')?.ratio },
  { what: 'furthest sampling, 14 x 14, γ 0.5: µs an image', atMost: 75, value: (results) => results.sampling?.microseconds },
  { what: 'furthest sampling, 14 x 14, γ 0.5: % of loader time', atMost: 1, value: samplingShare },
  {
    what: 'growth: step over what the operations say, worst of all larger sizes',
    atMost: 1,
    value(results) {
      if (results.growth === undefined) return undefined;
      const { excess, tokens, batch } = worstExcess(results.growth);
      return { ...excess, note: `${tokens} tokens, batch ${batch}` };
    },
  },
];

/** Each goal with what was measured: { what, atMost, measured?, met? }. */
export const judge = (results) =>
  GOALS.map(({ what, atMost, value }) => {
    const measured = value(results);
    return { what, atMost, ...(measured === undefined ? {} : { measured, met: measured.median <= atMost }) };
  });
