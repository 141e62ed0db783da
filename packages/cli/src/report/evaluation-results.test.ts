import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { groupEvaluations, readEvaluations, type ReportedResults } from './evaluation-results.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-report-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const results: ReportedResults = {
  protocol: 'knn',
  accuracy: 0.75,
  interval: { low: 0.3, high: 0.95 },
  samples: 4,
  correct: 3,
  labelled: 8,
  perClass: [{ name: 'cat', samples: 4, correct: 3, accuracy: 0.75 }],
  confusion: [[3]],
};

function store(name: string, text: string): void {
  mkdirSync(join(folder, 'evaluations', name), { recursive: true });
  writeFileSync(join(folder, 'evaluations', name, 'results.json'), text);
}

const read = async (): Promise<[Map<string, ReportedResults>, string[]]> => {
  const notices: string[] = [];
  return [await readEvaluations(folder, (message) => notices.push(message)), notices];
};

it('finds the evaluations of a run, and what a report needs of each', async () => {
  store('knn-b', JSON.stringify({ ...results, source: 'somewhere', seconds: 3 }));
  store('knn-a', JSON.stringify(results));
  const [found, notices] = await read();
  expect([...found]).toEqual([
    ['knn-a', results],
    ['knn-b', results],
  ]);
  expect(notices).toEqual([]);
});

it('passes over an evaluation that is not done, and over files', async () => {
  mkdirSync(join(folder, 'evaluations', 'linear'), { recursive: true });
  writeFileSync(join(folder, 'evaluations', 'notes.txt'), '');
  expect(await read()).toEqual([new Map(), []]);
});

it('says which results it cannot read', async () => {
  store('old', '{"accuracy": "high"}');
  store('torn', '{"accuracy"');
  const [found, notices] = await read();
  expect(found.size).toBe(0);
  expect(notices).toEqual(['old', 'torn'].map((name) => expect.stringContaining(join(name, 'results.json'))));
});

it('reads what the five likeliest classes gave, and classes without an image', async () => {
  const more = { ...results, top5: 1, perClass: [{ name: 'кот', samples: 0, correct: 0, accuracy: null }] };
  store('knn', JSON.stringify(more));
  expect((await read())[0].get('knn')).toEqual(more);
});

it.each([['accuracy', null], ['samples', 1.5], ['interval', { low: 0.5 }], ['perClass', [{ name: 'cat' }]], ['confusion', [['3']]], ['labelled', undefined]])('leaves out results whose %s is %j, and says so', async (key, value) => {
  store('knn', JSON.stringify({ ...results, [key]: value }));
  const [found, notices] = await read();
  expect([found.size, notices]).toEqual([0, [expect.stringMatching(/results\.json: left out, it holds no results that this version reads$/)]]);
});

it('a run without evaluations has none', async () => {
  expect(await read()).toEqual([new Map(), []]);
});

it('groups are in the order of their names, and none without evaluations', () => {
  expect(groupEvaluations([new Map([['linear', results], ['knn', results]])]).map(({ name }) => name)).toEqual(['knn', 'linear']);
  expect(groupEvaluations([new Map(), new Map()])).toEqual([]);
});

it('puts evaluations of the same name beside each other', () => {
  expect(groupEvaluations([new Map([['knn', results]]), new Map([['linear', results]])])).toEqual([
    { name: 'knn', results: [results, undefined] },
    { name: 'linear', results: [undefined, results] },
  ]);
});
