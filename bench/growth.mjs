// Step time over sequence length and over batch size, beside what the operations of a step predict.
import { CASES } from './catalogue.mjs';
import { startMimlab, stepOperations } from './compare.mjs';
import { interleave } from './interleave.mjs';
import { ratioSummary, summary } from './statistics.mjs';

/** MAE of the size ViT-S/16 with a decoder of 4 blocks: small enough for sequences of 784 tokens. */
const MODEL = ['method.width=384', 'method.heads=6', 'method.decoderWidth=256', 'method.decoderDepth=4', 'method.decoderHeads=8'];
/** The point that both series share and that predictions start from: 14 x 14 tokens as everywhere on the page. */
const ANCHOR = { pixels: 224, batch: 8 };
const SERIES = {
  sequence: [112, 160, 320, 448].map((pixels) => ({ ...ANCHOR, pixels })),
  batch: [2, 4, 16, 32].map((batch) => ({ ...ANCHOR, batch })),
};
const ROUNDS = { rounds: 5, seconds: 120 };

const configurationOf = ({ pixels, batch }, folders) => ({
  preset: 'mae/vit-b16-in1k',
  set: [...MODEL, `data.dataset=${CASES['vit-b16'].dataset}`, `data.path=${folders.imagefolder}`, `data.size=${pixels}`, `train.batch=${batch}`, 'train.accumulate=1'],
});

/** Times every point; all peers live at once. @returns points with tokens, batch, operations, seconds; the anchor is the first. */
export async function measureGrowth(tools) {
  const points = [ANCHOR, ...Object.values(SERIES).flat()].map((point) => ({ ...point, tokens: (point.pixels / 16) ** 2 }));
  const nameOf = ({ tokens, batch }) => `${tokens} x ${batch}`;
  const say = (text) => tools.say(`growth: ${text}`);
  const peers = {};
  try {
    for (const point of points) {
      say(`starting ${nameOf(point)}`);
      peers[nameOf(point)] = await startMimlab(configurationOf(point, tools.folders), { precision: 'fp32', tools });
    }
    const operations = [];
    for (const point of points) operations.push(stepOperations((await peers[nameOf(point)].ask({ cost: true })).macs, point.batch));
    // Short steps are timed several times a round, so that a round of any point takes as long as the anchor's or longer.
    const runners = Object.fromEntries(points.map((point, i) => [nameOf(point), () => peers[nameOf(point)].ask({ steps: Math.ceil(operations[0] / operations[i]) })]));
    const taken = await interleave(runners, { ...ROUNDS, rounds: tools.rounds ?? ROUNDS.rounds, say });
    return points.map((point, i) => {
      const { ofRounds, steps } = taken[nameOf(point)];
      return { tokens: point.tokens, batch: point.batch, operations: operations[i], ofRounds, secondsPerStep: summary(steps) };
    });
  } finally {
    for (const { stop } of Object.values(peers)) stop();
  }
}

/** What each point takes over what the operations predict from the anchor, the first point. */
export function excesses([anchor, ...points]) {
  return points.map((point) => {
    const predicted = anchor.ofRounds.map((seconds) => (seconds * point.operations) / anchor.operations);
    return { ...point, excess: ratioSummary(point.ofRounds, predicted) };
  });
}

/** The point larger than the anchor that exceeds its prediction most. */
export function worstExcess(points) {
  const larger = excesses(points).filter(({ operations }) => operations > points[0].operations);
  return larger.reduce((worst, point) => (point.excess.median > worst.excess.median ? point : worst));
}

/** The points of one series, the anchor among them, in order. */
export function seriesOf(points, axis) {
  const other = axis === 'tokens' ? 'batch' : 'tokens';
  return points.filter((point) => point[other] === points[0][other]).sort((a, b) => a[axis] - b[axis]);
}
