// AdamW over plain arrays: decay, both running means and the step in one pass over memory.
#ifndef MIMLAB_ADAMW_H_
#define MIMLAB_ADAMW_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "pieces.h"

namespace mimlab {

// Numbers of one update. `alpha` and `epsilon` have the bias corrections in them, `decay` the learning rate; gradients
// are multiplied by `scale` (clipping).
struct AdamwNumbers {
  float beta1, beta2, alpha, epsilon, decay, scale;
};

struct AdamwArrays {
  float *param, *first, *second;
  const float* gradient;
  int64_t count;
};

// Sums of squares.
struct AdamwSquares {
  float param = 0, change = 0;
};

// With `kSquares` it gives those of the new parameters and of what was taken from the old ones, else zeros.
template <bool kSquares>
AdamwSquares AdamwPiece(const AdamwArrays& arrays, int64_t begin, int64_t end, const AdamwNumbers& numbers) {
  float* __restrict p = arrays.param;
  float* __restrict m = arrays.first;
  float* __restrict v = arrays.second;
  const float* __restrict g = arrays.gradient;
  const float to_first = 1.0f - numbers.beta1, to_second = 1.0f - numbers.beta2;
  const float alpha = numbers.alpha, epsilon = numbers.epsilon, decay = numbers.decay, scale = numbers.scale;
  float params = 0, changes = 0;
  for (int64_t i = begin; i < end; i++) {
    const float gradient = g[i] * scale;
    const float first = m[i] + (gradient - m[i]) * to_first;
    const float second = v[i] + (gradient * gradient - v[i]) * to_second;
    const float change = p[i] * decay + first * alpha / (std::sqrt(second) + epsilon);
    const float param = p[i] - change;
    m[i] = first;
    v[i] = second;
    p[i] = param;
    if (kSquares) {
      params += param * param;
      changes += change * change;
    }
  }
  return {params, changes};
}

// Updates all of `arrays` in place.
template <bool kSquares>
AdamwSquares Adamw(const std::vector<AdamwArrays>& arrays, const AdamwNumbers& numbers) {
  std::vector<int64_t> lengths;
  for (const AdamwArrays& array : arrays) lengths.push_back(array.count);
  const std::vector<ArrayPiece> pieces = PiecesOfArrays(lengths);
  std::vector<float> params(pieces.size()), changes(pieces.size());
  ForEachPiece(pieces, [&](const ArrayPiece& piece, size_t number) {
    const AdamwSquares squares = AdamwPiece<kSquares>(arrays[piece.array], piece.begin, piece.end, numbers);
    params[number] = squares.param;
    changes[number] = squares.change;
  });
  return {SumInOrder(params), SumInOrder(changes)};
}

}  // namespace mimlab

#endif  // MIMLAB_ADAMW_H_
