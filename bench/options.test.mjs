import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from './options.mjs';

const parse = (...args) => parseOptions(args, ['loader', 'growth']);

describe('arguments of the bench', () => {
  it('are bare MAE beside PyTorch in both cases unless something else is said', () => {
    expect(parse()).toMatchObject({ methods: ['mae'], gammas: [0], precisions: ['fp32'], cases: ['small', 'vit-b16'], pytorch: ['eager', 'compile'], threads: 2, goals: false, build: true });
    expect(parse()).not.toHaveProperty('rounds');
  });

  it('take lists, each value once, parts thrown in order', () => {
    const options = parse('--methods', 'simmim,mae,mae', '--throw', '0.5,0', '--precision', 'bf16', '--case', 'small', '--peers', 'none', '--rounds', '5');
    expect(options).toMatchObject({ methods: ['simmim', 'mae'], gammas: [0, 0.5], precisions: ['bf16'], cases: ['small'], pytorch: [], rounds: 5 });
  });

  it('know all methods by one word', () => {
    expect(parse('--methods', 'all').methods).toEqual(['mae', 'simmim', 'greenmim', 'localmim', 'mff', 'tec']);
  });

  it('choose among the parts of the goals', () => {
    expect(parse('--goals').only).toEqual(['loader', 'growth']);
    expect(parse('--goals', '--only', 'growth').only).toEqual(['growth']);
  });

  it.each([
    [['--methods', 'dino'], '--methods: dino is not among mae, simmim'],
    [['--case', ''], '--case: nothing is not among small'],
    [['--throw', '1'], '--throw: numbers from 0 to below 1'],
    [['--throw', '0,,0.5'], "not '0,,0.5'"],
    [['--rounds', '0'], "--rounds: a whole number from 1 up is expected, not '0'"],
    [['--threads', '1.5'], '--threads: a whole number'],
    [['--only', 'growth'], '--only: chooses parts of --goals'],
    [['--goals', '--only', 'speed'], '--only: speed is not among loader, growth'],
    [['--set', 'xla'], "--set: KEY=VALUE is expected, not 'xla'"],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j are refused with what is expected', (args, message) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(message);
  });
});
