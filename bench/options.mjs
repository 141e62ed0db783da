// Arguments of `npm run bench`.
import { parseArgs } from 'node:util';
import { CASES, METHODS, PYTORCH } from './catalogue.mjs';

export class UsageError extends Error {}

export const HELP = `npm run bench -- [options]

  --methods mae,simmim     ${Object.keys(METHODS).join(', ')}, or all; default mae
  --throw 0,0.5            parts of all tokens that PR-MIM throws away, 0 for the bare method; default 0
  --precision fp32,bf16    default fp32
  --case small,vit-b16     default both
  --peers eager,compile    PyTorch beside bare MAE; none leaves it out
  --rounds N, --threads N  rounds of each comparison (default by case), threads of every peer (default 2)
  --set KEY=VALUE          a setting of mimlab's configuration, such as engine.xla=true; may be repeated
  --goals                  measures what docs/benchmarks.md promises, and says what is met
  --only PART,...          some parts of --goals
  --output FILE            writes the results as JSON
  --json                   prints JSON in place of tables
  --no-build               runs what is built already
  --page                   rewrites the figures of docs/benchmarks.md and README.md from docs/benchmarks/*.json
`;

const listOf = (text, known, name) => {
  const values = text.split(',').filter((value) => value !== '');
  const unknown = values.filter((value) => !known.includes(value));
  if (values.length === 0 || unknown.length > 0) throw new UsageError(`--${name}: ${unknown.join(', ') || 'nothing'} is not among ${known.join(', ')}`);
  return [...new Set(values)];
};

const wholeFrom1 = (text, name) => {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 1) throw new UsageError(`--${name}: a whole number from 1 up is expected, not '${text}'`);
  return value;
};

const parts = (text) => {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (values.some((value) => !(value >= 0 && value < 1))) throw new UsageError(`--throw: numbers from 0 to below 1 are expected, not '${text}'`);
  return [...new Set(values)].sort((a, b) => a - b);
};

/**
 * @param parts names that `--only` may have
 * @throws UsageError naming the option and what it takes
 */
export function parseOptions(args, goalParts) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        methods: { type: 'string', default: 'mae' },
        throw: { type: 'string', default: '0' },
        precision: { type: 'string', default: 'fp32' },
        case: { type: 'string', default: Object.keys(CASES).join(',') },
        peers: { type: 'string', default: Object.keys(PYTORCH).join(',') },
        rounds: { type: 'string' },
        threads: { type: 'string', default: '2' },
        set: { type: 'string', multiple: true, default: [] },
        goals: { type: 'boolean', default: false },
        only: { type: 'string' },
        output: { type: 'string' },
        json: { type: 'boolean', default: false },
        'no-build': { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.only !== undefined && !values.goals) throw new UsageError('--only: chooses parts of --goals, which is not given');
  const broken = values.set.find((setting) => !/^[\w.]+=/.test(setting));
  if (broken !== undefined) throw new UsageError(`--set: KEY=VALUE is expected, not '${broken}'`);
  return {
    methods: values.methods === 'all' ? Object.keys(METHODS) : listOf(values.methods, Object.keys(METHODS), 'methods'),
    gammas: parts(values.throw),
    precisions: listOf(values.precision, ['fp32', 'bf16'], 'precision'),
    cases: listOf(values.case, Object.keys(CASES), 'case'),
    pytorch: values.peers === 'none' ? [] : listOf(values.peers, Object.keys(PYTORCH), 'peers'),
    ...(values.rounds === undefined ? {} : { rounds: wholeFrom1(values.rounds, 'rounds') }),
    threads: wholeFrom1(values.threads, 'threads'),
    set: values.set,
    goals: values.goals,
    only: values.only === undefined ? goalParts : listOf(values.only, goalParts, 'only'),
    output: values.output,
    json: values.json,
    build: !values['no-build'],
    page: values.page,
    help: values.help,
  };
}
