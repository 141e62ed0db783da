// Many arrays of any lengths, cut into pieces of one size: work is shared out evenly, and the cut follows from the lengths
// alone.
#ifndef MIMLAB_PIECES_H_
#define MIMLAB_PIECES_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "parallel.h"

namespace mimlab {

struct ArrayPiece {
  size_t array;
  int64_t begin, end;
};

inline std::vector<ArrayPiece> PiecesOfArrays(const std::vector<int64_t>& lengths) {
  // Four arrays of such a piece stay in the second cache.
  constexpr int64_t kPiece = 1 << 15;
  std::vector<ArrayPiece> pieces;
  for (size_t array = 0; array < lengths.size(); array++)
    for (int64_t begin = 0; begin < lengths[array]; begin += kPiece) pieces.push_back({array, begin, std::min(begin + kPiece, lengths[array])});
  return pieces;
}

// Runs body(piece, its number) for all pieces, on any thread.
template <typename F>
void ForEachPiece(const std::vector<ArrayPiece>& pieces, const F& body) {
  SharedPool().Run(static_cast<int64_t>(pieces.size()), [&](int64_t number) { body(pieces[static_cast<size_t>(number)], static_cast<size_t>(number)); });
}

// The sum of what pieces gave, in their order.
inline float SumInOrder(const std::vector<float>& parts) {
  double sum = 0;
  for (float part : parts) sum += part;
  return static_cast<float>(sum);
}

inline float SquaresOf(const float* x, int64_t count) {
  float sum = 0;
  for (int64_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sum;
}

}  // namespace mimlab

#endif  // MIMLAB_PIECES_H_
