// Draws step time over sequence length and batch size.
import { chartSvg } from '@mimlab/cli';
import { seriesOf } from './growth.mjs';

const COLOURS = { measured: '#1f77b4', predicted: '#999999' };
const log = (field, title, values) => ({
  field,
  type: 'quantitative',
  title,
  scale: { type: 'log', domain: [values[0] * 0.8, values.at(-1) * 1.25] },
  axis: { values, format: '~r', grid: true, gridOpacity: 0.4 },
});

function valuesOf(points, axis) {
  const [anchor] = points;
  return seriesOf(points, axis).map(({ secondsPerStep, operations, ...point }) => ({
    at: point[axis],
    seconds: secondsPerStep.median,
    low: secondsPerStep.range[0],
    high: secondsPerStep.range[1],
    predicted: (anchor.secondsPerStep.median * operations) / anchor.operations,
  }));
}

function panel(values, title, [least, most]) {
  const x = log('at', title, values.map(({ at }) => at));
  const y = { type: 'quantitative', title: 'seconds a step', scale: { type: 'log', domain: [least, most] }, axis: { format: '~r', gridOpacity: 0.4, tickCount: 5 } };
  const colour = (name) => ({ datum: name, type: 'nominal', title: null, legend: { orient: 'bottom', labelLimit: 0 }, scale: { domain: ['measured', 'as the operations say'], range: Object.values(COLOURS) } });
  return {
    width: 300,
    height: 240,
    data: { values },
    layer: [
      { mark: { type: 'line', strokeDash: [5, 4] }, encoding: { x, y: { ...y, field: 'predicted' }, color: colour('as the operations say') } },
      { mark: { type: 'rule', strokeWidth: 2 }, encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: colour('measured') } },
      { mark: { type: 'point', filled: true, size: 45 }, encoding: { x, y: { ...y, field: 'seconds' }, color: colour('measured') } },
    ],
  };
}

/** Both series side by side as SVG, on one scale of time: medians with their range, and the line from the anchor. */
export function growthSvg(points) {
  const [byTokens, byBatch] = [valuesOf(points, 'tokens'), valuesOf(points, 'batch')];
  const seconds = [...byTokens, ...byBatch].flatMap(({ low, high, predicted }) => [low, high, predicted]);
  const domain = [Math.min(...seconds) * 0.8, Math.max(...seconds) * 1.25];
  return chartSvg({
    background: 'white',
    hconcat: [panel(byTokens, `tokens an image (batch ${points[0].batch})`, domain), panel(byBatch, `images a batch (${points[0].tokens} tokens)`, domain)],
  });
}
