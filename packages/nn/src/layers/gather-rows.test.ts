import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { gatherRows, lookupRows, pickRows, restoreRows } from './gather-rows.js';

const ints = (values: readonly number[]): tf.Tensor1D => tf.tensor1d([...values], 'int32');

/** A partial permutation: which of `size` rows are taken, in which order. */
const partialOrder = fc
  .integer({ min: 1, max: 8 })
  .chain((size) => fc.record({ order: fc.shuffledSubarray([...Array(size).keys()], { minLength: size }), taken: fc.integer({ min: 1, max: size }) }));

onEveryBackend('row gathers', () => {
  it('take the rows asked for', () => {
    expectValues(gatherRows(tf.tensor2d([[1, 2], [3, 4], [5, 6]]), ints([2, 0]), ints([1, 2, 0])), [5, 6, 1, 2]);
  });

  it('send the gradient back to the rows they came from, and none to the others', () => {
    fc.assert(
      fc.property(partialOrder, ({ order, taken }) => {
        const rows = order.slice(0, taken);
        const inverse = order.map((_, row) => (rows.includes(row) ? rows.indexOf(row) : taken));
        const x = scattered([order.length, 2]) as tf.Tensor2D;
        const dy = scattered([taken, 2], 3);
        const gradient = tf.grad((input) => gatherRows(input as tf.Tensor2D, ints(rows), ints(inverse)))(x, dy);
        const expected = order.flatMap((_, row) => (rows.includes(row) ? [...dy.dataSync()].slice(2 * rows.indexOf(row), 2 * rows.indexOf(row) + 2) : [0, 0]));
        expectValues(gradient, expected);
      }),
      { numRuns: 20 },
    );
  });

  it('may compute the inverse in the backward pass alone', () => {
    const source = ints([1, 2, 0]);
    const lazy = { from: [source], compute: ([kept]: readonly tf.Tensor[]) => tf.clone(kept as tf.Tensor1D) };
    expectGradients((x) => gatherRows(x as tf.Tensor2D, ints([2, 0]), lazy), [scattered([3, 2])]);
  });

  it('restore rows to the grid, zeros where none is known', () => {
    expectValues(restoreRows(tf.tensor2d([[1, 2], [3, 4]]), ints([1, 2, 0]), ints([2, 0])), [3, 4, 0, 0, 1, 2]);
  });

  it('restore rows to the grid, the fill row where none is known', () => {
    expectValues(restoreRows(tf.tensor2d([[1, 2]]), ints([1, 0, 1]), ints([1]), tf.tensor2d([[8, 9]])), [8, 9, 1, 2, 8, 9]);
  });

  it('have the gradients of known rows and fill', () => {
    const [gridRows, knownRows] = [ints([1, 2, 0, 2]), ints([2, 0])];
    expectGradients((known) => restoreRows(known as tf.Tensor2D, gridRows, knownRows), [scattered([2, 3])]);
    expectGradients((known, fill) => restoreRows(known as tf.Tensor2D, gridRows, knownRows, fill as tf.Tensor2D), [scattered([2, 3]), scattered([1, 3], 2)]);
  });

  it('look shared rows up as often as asked, and add their gradients', () => {
    expectValues(lookupRows(tf.tensor2d([[1, 2], [3, 4]]), ints([1, 0, 1])), [3, 4, 1, 2, 3, 4]);
    expectGradients((table) => lookupRows(table as tf.Tensor2D, ints([1, 0, 1, 2])), [scattered([4, 2])]);
  });
});

onEveryBackend('picking rows of each image', () => {
  /** Two images of three tokens each; row 6 stands for a token that is not there. */
  const x = () => tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [6, 2]);
  const rows = () => tf.tensor2d([2, 0, 6, 4], [2, 2], 'int32');

  it('takes them in the order asked, and zeros for a token that is not there', () => {
    expectValues(pickRows(x(), rows()), [5, 6, 1, 2, 0, 0, 9, 10]);
  });

  it('sends each gradient back to the row it came from', () => {
    const weights = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    expectValues(tf.grad((input: tf.Tensor) => tf.sum(tf.mul(pickRows(input as tf.Tensor2D, rows()), weights)))(x()), [3, 4, 0, 0, 1, 2, 0, 0, 7, 8, 0, 0]);
  });

  it('has the gradient of a gather, whatever is picked', () => {
    const image = (first: number) => fc.shuffledSubarray([0, 1, 2, 3].map((place) => first + place), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.tuple(image(0), image(4)), (picks) => {
        tf.tidy(() => {
          const weights = tf.tensor2d(Float32Array.from({ length: 12 }, (_, i) => i + 1), [4, 3]);
          const gradient = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(pickRows(input as tf.Tensor2D, tf.tensor2d(picks, [2, 2], 'int32')), weights)))(tf.zeros([8, 3]));
          const flat = picks.flat();
          expectValues(gradient, Array.from({ length: 24 }, (_, i) => (flat.includes(Math.floor(i / 3)) ? flat.indexOf(Math.floor(i / 3)) * 3 + (i % 3) + 1 : 0)));
        });
      }),
      { numRuns: 20 },
    );
  });
});
