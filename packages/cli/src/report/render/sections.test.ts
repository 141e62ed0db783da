import type { TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import type { ReportedResults } from '../evaluation-results.js';
import type { SamplerGeometry } from '../sampler-geometry.js';
import { attentionSection } from './attention-section.js';
import { evaluationSection } from './evaluation-section.js';
import { gallerySection } from './gallery-section.js';
import { geometrySection, stepsText } from './geometry-section.js';
import { overviewSection } from './overview-section.js';
import { page } from './page.js';
import { provenanceSection } from './provenance-section.js';
import { trainingSection } from './training-section.js';

const A = { letter: 'A', name: 'first' };
const B = { letter: 'B', name: 'second' };
const plan: TokenPlan = { grid: { rows: 1, columns: 4 }, visible: Int32Array.of(0), retained: Int32Array.of(1), thrown: Int32Array.of(2, 3) };
/** The page as text, without markup. */
const words = (markup: string): string => markup.replace(/<script.*?<\/script>/gs, '').replace(/<[^>]+>/g, ' ').replace(/&nbsp;/g, ' ').replace(/\s+/g, ' ');

describe('the overview', () => {
  it('has a column for each run, and their differing keys', () => {
    const rows = [{ name: 'Loss', numeric: true, cells: [{ text: '0.5', aside: '' }, { text: '0.6', aside: '+20 %' }] }];
    const text = words(overviewSection([A, B], rows, [{ key: 'train.lr', values: [0.1, undefined] }]).markup);
    expect(text).toContain('Quantity A first B second Loss 0.5 0.6 +20 %');
    expect(text).toContain('train.lr 0.1 not set');
  });

  it('folds away keys that only some runs have, where there are many', () => {
    const some = Array.from({ length: 16 }, (_, at) => ({ key: `method.own${at}`, values: [at, undefined] }));
    const { markup } = overviewSection([A, B], [], [{ key: 'method.plugin', values: ['mae', 'simmim'] }, ...some]);
    expect(words(markup)).toMatch(/method.plugin mae simmim .*16 keys that only some of the runs have/);
    expect(markup.indexOf('method.own0')).toBeGreaterThan(markup.indexOf('<details>'));
    expect(overviewSection([A, B], [], some.slice(0, 3)).markup).not.toContain('<details>');
  });

  it('says so when nothing differs, and does not compare a single run', () => {
    expect(words(overviewSection([A, B], [], []).markup)).toContain('are the same in every key');
    expect(words(overviewSection([A], [], []).markup)).not.toContain('differs');
  });
});

describe('training', () => {
  it('says so when nothing is logged', () => {
    expect(words(trainingSection([A], { x: 'update', groups: [], rowsToPoint: 1 }, []).markup)).toContain('These runs have no rows in their logs yet.');
  });

  it('names runs without a line, and offers a switch for each run', () => {
    const curves = [{ run: 0, letter: 'A', part: '', points: [{ x: 1, y: 1 }] }];
    const { markup } = trainingSection([A, B], { x: 'update', groups: [{ id: 'loss', title: 'Loss', unit: '', weight: 'main', log: true, curves }], rowsToPoint: 3 }, []);
    expect(words(markup)).toContain('Nothing logged yet: B');
    expect(words(markup)).toContain('mean of up to 3 rows');
    expect(markup.match(/name="run"/g)).toHaveLength(2);
    expect(markup).not.toContain('name="part"');
  });
});

describe('reconstructions', () => {
  const gallery = (updates: readonly number[], plans: readonly TokenPlan[] = updates.map(() => plan)) => ({
    shown: { image: { height: 4, width: 16, channels: 1 }, grid: plan.grid, originals: ['data:o'], frames: updates.map((update, at) => ({ update, pictures: [`data:r${update}`], plans: [plans[at] as TokenPlan] })), caption: ['predicted: pixels'] },
  });
  const render = (shown: ReturnType<typeof gallery> | { missing: string }): string => gallerySection([{ ...A, gallery: shown, epochsAnUpdate: 0.25 }]).markup;

  it('show the newest checkpoint, and hold the others for the slider', () => {
    const markup = render(gallery([4, 8]));
    expect(markup).toContain('src="data:r8"');
    expect(markup).toContain('<input type="range" id="time-0" min="0" max="1" step="1" value="1" aria-valuetext="update 8, epoch 2">');
    expect(JSON.parse(/<script[^>]*>(.*?)<\/script>/s.exec(markup)?.[1] ?? '')).toEqual([
      { update: 4, label: 'update 4, epoch 1', pictures: ['data:r4'] },
      { update: 8, label: 'update 8, epoch 2', pictures: ['data:r8'] },
    ]);
  });

  it('of one checkpoint need no slider', () => {
    const markup = render(gallery([8]));
    expect(markup).not.toContain('type="range"');
    expect(words(markup)).toContain('One checkpoint is kept: update 8, epoch 2.');
  });

  it('hold plans for every checkpoint where they follow what was learnt', () => {
    const other = { ...plan, retained: Int32Array.of(2), thrown: Int32Array.of(1, 3) };
    expect(render(gallery([4, 8], [plan, other]))).toContain('"roles":[{"visible":"M0 0h1v1h-1z","retained":"M2 0h1v1h-1z"');
  });

  it('that cannot be drawn are a sentence', () => {
    const markup = render({ missing: 'This run has no checkpoint yet.' });
    expect(words(markup)).toContain('A first This run has no checkpoint yet.');
    expect(markup).not.toContain('<table');
  });
});

describe('attention', () => {
  it('has a row for the mean and for each head, and says where it is largest', () => {
    const maps = [{ mean: 'data:m', heads: ['data:h1', 'data:h2'], peak: { row: 2, column: 3, share: 0.25 } }];
    const { markup } = attentionSection([{ ...A, attention: { shown: { image: { height: 4, width: 4, channels: 1 }, update: 8, originals: ['data:o'], maps } } }]);
    expect(words(markup)).toMatch(/image mean of heads head 1 head 2/);
    expect(markup).toContain('alt="Attention to image 1: most (25.0 %) at row 2, column 3"');
  });

  it('that an encoder does not offer is a sentence', () => {
    expect(words(attentionSection([{ ...A, attention: { missing: 'None is offered.' } }]).markup)).toContain('None is offered.');
  });
});

describe('the geometry of samplers', () => {
  const geometry: SamplerGeometry = {
    plans: 10,
    example: plan,
    exampleDistances: Float64Array.of(1, 2),
    withoutAttention: false,
    measured: { mean: 1.25, max: 1.5, worst: 2, isolated: { 3: 0.25, 5: 0, 7: 0 }, images: 0.5, cover: 1.5, around: 0.75, distances: [{ distance: 1, share: 0.99999 }, { distance: Math.SQRT2, share: 1e-5 }] },
  };

  it('are numbers, shares of distances, and a plan', () => {
    const { markup } = geometrySection([{ ...A, geometry }]);
    expect(words(markup)).toContain('A first 10 1.250 1.50 2.00 25.00 0.00 0.00 50.0 1.50 0.75');
    expect(words(markup)).toContain('1 100.00 √2 &lt; 0.01');
    expect(markup).toContain('A plan of run A: 1 visible, 1 retained and 2 thrown tokens, at most 2.00 steps from a known one.');
  });

  it('name runs that throw nothing, and those that would follow attention', () => {
    const { markup } = geometrySection([{ ...A, geometry: { ...geometry, withoutAttention: true } }, { ...B, geometry: { plans: 10, example: plan, exampleDistances: new Float64Array(0), withoutAttention: false } }]);
    expect(words(markup)).toContain('Nothing is thrown: B');
    expect(words(markup)).toContain('with all tokens attended alike: A');
  });

  it('write distances as they are on a grid', () => {
    expect([1, Math.SQRT2, Math.sqrt(5), 2].map(stepsText)).toEqual(['1', '√2', '√5', '2']);
  });
});

describe('evaluations', () => {
  const results = (classes: number): ReportedResults => ({
    protocol: 'knn',
    accuracy: 0.75,
    interval: { low: 0.7, high: 0.8 },
    samples: 400,
    correct: 300,
    labelled: 1000,
    perClass: Array.from({ length: classes }, (_, at) => ({ name: `class ${at}`, samples: 4, correct: 3, accuracy: at === 0 ? null : at / classes })),
    confusion: Array.from({ length: classes }, (_, row) => Array.from({ length: classes }, (_, column) => (row === column ? 3 : column === 0 && row === 1 ? 1 : 0))),
  });

  it('have accuracy with its interval, and say which run was not evaluated so', () => {
    const text = words(evaluationSection([A, B], [{ name: 'knn-set', results: [results(3), undefined] }]).markup);
    expect(text).toContain('A first 75.0 70.0 80.0 400 1,000');
    expect(text).toContain('Not evaluated this way: B');
  });

  it('show confusions as a map of numbers, each shaded by its share of the row', () => {
    const { markup } = evaluationSection([A], [{ name: 'knn-set', results: [results(3)] }]);
    expect(markup).toContain('<th scope="row">class 1</th><td style="--share:0.500">1</td><td class="right" style="--share:0.866">3</td><td style="--share:0.000">0</td>');
    expect(words(markup)).toContain('class 0 4 – ');
  });

  it('of many classes list the extreme ones and the most frequent mistakes', () => {
    const { markup } = evaluationSection([A], [{ name: 'knn-set', results: [results(30)] }]);
    expect(markup).not.toContain('class="heat"');
    expect(words(markup)).toContain('class 1 class 0 1 25.0');
    expect(markup.match(/<th scope="row">class \d+<\/th><td>4<\/td>/g)).toHaveLength(20);
  });

  it('that were not made are a sentence with the command', () => {
    expect(words(evaluationSection([A], []).markup)).toContain('mimlab evaluate RUN --protocol NAME');
  });
});

describe('environment and configuration', () => {
  const git = { project: { commit: '0123456789abcdef0123', dirty: true } };
  const engine = { kind: 'eager', description: 'eager: wasm', precision: 'fp32' };

  it('show the commit of the project, changes included, and what early runs did not record', () => {
    const text = words(provenanceSection([{ ...A, configText: 'seed: 0\n', environments: [{ created: 'then', engine, git }, { created: 'later', engine }] }, { ...B, configText: '', environments: [{ created: 'then' }] }]).markup);
    expect(text).toContain('Git commit of the project 0123456789ab, with changes not recorded');
    expect(text).toContain('A first was resumed: later (eager: wasm)');
    expect(text).toContain('seed: 0');
  });

  it('say so when nothing was recorded', () => {
    expect(words(provenanceSection([{ ...A, configText: '', environments: [] }]).markup)).toContain('No environment was recorded.');
  });
});

it('a page forbids everything that lies elsewhere, and names its language and title', () => {
  const text = page({ title: 'Report on <x>', lead: { markup: '' }, sections: [{ id: 'overview', name: 'Overview', body: { markup: '<p>here</p>' } }], style: 'p {}', script: 'x();' });
  expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(text).toContain('<title>Report on &lt;x&gt;</title>');
  expect(text).toContain('default-src &#39;none&#39;; img-src data:');
  expect(text).toContain('<li><a href="#overview">Overview</a></li>');
});
