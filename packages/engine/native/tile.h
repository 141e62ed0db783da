// The innermost part of a matrix product: a tile of the result held in registers while the operands stream by.
#ifndef MIMLAB_TILE_H_
#define MIMLAB_TILE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "vectors.h"

namespace mimlab {

// Rows and vectors of a tile: as many accumulators as there are registers, but for two of B and one of A.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__AVX__)
constexpr int kTileRows = 6;
#elif defined(__aarch64__)
constexpr int kTileRows = 12;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVectors = 2;
constexpr int kTileColumns = kTileVectors * kLanes;

// Products are summed in runs of this length, which are then added up: operands of a run stay in the caches, and
// rounding errors grow with the run and not with the whole sum.
constexpr int64_t kRun = 512;
// Columns of a packed A lie this far apart.
constexpr int64_t kPackedStride = 16;
// Rows of A whose distance is a multiple of this would fall into the same set of the first cache: they are copied, to rows
// of another distance.
constexpr int64_t kBadStride = 1024;
constexpr int64_t kCopiedStride = kRun + 16;
// Rows of B that are fetched ahead.
constexpr int64_t kAhead = 24;
static_assert(kTileRows <= kPackedStride, "a column must fit");
constexpr int64_t kPackedTile = std::max(kTileRows * kCopiedStride, kRun * kPackedStride);

// An operand: element (i, j) is data[i * stride + j], or data[j * stride + i] if transposed.
struct Operand {
  const float* data;
  int64_t stride;
  bool transposed;
};

// Where a tile goes: added to what is there if `add`; `bias` (one number a column) is added where it is not null.
struct TileTarget {
  float* to;
  int64_t stride;
  bool add;
  const float* bias;
};

// How Tile finds A: rows `stride` apart where they lie, or packed so that the rows of one column stand side by side.
enum class Rows { kInPlace, kPacked };

template <int kRows, Rows kLayout>
void Tile(const float* a, int64_t stride, const float* b, int64_t depth, const TileTarget& target) {
  // The result is seldom in the caches: it comes while the sums are made.
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++)
    for (int v = 0; v < kTileVectors; v++) __builtin_prefetch(target.to + r * target.stride + v * kLanes, 1);
  Vec sums[kRows][kTileVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; v++) sums[r][v] = Vec{};
  // One pointer for three rows: with one each there are not enough registers.
  constexpr int kPointers = (kRows + 2) / 3;
  const float* rows[kPointers];
#pragma GCC unroll 8
  for (int i = 0; i < kPointers; i++) rows[i] = kLayout == Rows::kPacked ? a + 3 * i : a + 3 * i * stride;
  const int64_t row = kLayout == Rows::kPacked ? 1 : stride;
  constexpr int64_t step = kLayout == Rows::kPacked ? kPackedStride : 1;
  for (int64_t k = 0; k < depth; k++) {
    // B comes from the second cache at best; its own prefetcher is late (7 to 12 % of the product's time).
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; v++) __builtin_prefetch(b + kAhead * kTileColumns + v * kLanes);
    Vec columns[kTileVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; v++) columns[v] = LoadVec(b + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r++) {
      const float x = rows[r / 3][(r % 3) * row];
#pragma GCC unroll 2
      for (int v = 0; v < kTileVectors; v++) sums[r][v] += x * columns[v];
    }
#pragma GCC unroll 8
    for (int i = 0; i < kPointers; i++) rows[i] += step;
    b += kTileColumns;
  }
#pragma GCC unroll 2
  for (int v = 0; v < kTileVectors; v++) {
    const Vec bias = target.bias == nullptr ? Vec{} : LoadVec(target.bias + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r++) {
      float* to = target.to + r * target.stride + v * kLanes;
      Vec sum = sums[r][v] + bias;
      if (target.add) sum += LoadVec(to);
      StoreVec(to, sum);
    }
  }
}

using TileFunction = void (*)(const float*, int64_t, const float*, int64_t, const TileTarget&);
template <Rows kLayout, int... kRows>
constexpr std::array<TileFunction, sizeof...(kRows)> TilesOf(std::integer_sequence<int, kRows...>) {
  return {&Tile<kRows + 1, kLayout>...};
}
inline TileFunction TileOf(int64_t rows, Rows layout) {
  static constexpr auto in_place = TilesOf<Rows::kInPlace>(std::make_integer_sequence<int, kTileRows>());
  static constexpr auto packed = TilesOf<Rows::kPacked>(std::make_integer_sequence<int, kTileRows>());
  return (layout == Rows::kPacked ? packed : in_place)[static_cast<size_t>(rows - 1)];
}

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};
inline Range PieceOf(int64_t total, int64_t pieces, int64_t piece) { return {total * piece / pieces, total * (piece + 1) / pieces}; }
inline int64_t Pieces(int64_t total, int64_t size) { return (total + size - 1) / size; }

// Rows of tile `tile` of `tiles` that `m` rows are cut into.
inline Range RowsOfTile(int64_t m, int64_t tiles, int64_t tile) { return PieceOf(m, tiles, tile); }
inline Range ColumnsOfPanel(int64_t n, int64_t panel) { return {panel * kTileColumns, std::min(n, (panel + 1) * kTileColumns)}; }

inline bool ReadInPlace(const Operand& a) { return !a.transposed && a.stride % kBadStride != 0; }

// Tiles `own` of the `tiles` of A [m, k], inner indices `inner`, as Tile reads them where it cannot read them in place:
// kPackedTile numbers for each. Memory is read along its rows, whichever way A lies.
inline void PackTiles(const Operand& a, int64_t m, int64_t tiles, Range own, Range inner, float* to) {
  if (ReadInPlace(a)) return;
  if (!a.transposed) {
    for (int64_t tile = own.begin; tile < own.end; tile++, to += kPackedTile) {
      const Range rows = RowsOfTile(m, tiles, tile);
      for (int64_t row = rows.begin; row < rows.end; row++)
        std::memcpy(to + (row - rows.begin) * kCopiedStride, a.data + row * a.stride + inner.begin, static_cast<size_t>(inner.size()) * sizeof(float));
    }
    return;
  }
  for (int64_t k = 0; k < inner.size(); k++) {
    const float* from = a.data + (inner.begin + k) * a.stride;
    float* packed = to + k * kPackedStride;
    for (int64_t tile = own.begin; tile < own.end; tile++, packed += kPackedTile) {
      const Range rows = RowsOfTile(m, tiles, tile);
      // A fixed width is copied in whole registers; what is too much is not read again.
      if (rows.begin + kPackedStride <= m)
        std::memcpy(packed, from + rows.begin, kPackedStride * sizeof(float));
      else
        for (int64_t row = rows.begin; row < rows.end; row++) packed[row - rows.begin] = from[row];
    }
  }
}

// Rows `inner` of all panels of B [k, n] as Tile reads them: panel p begins at to + p * panel_size. Columns beyond n are zero.
inline void PackPanels(const Operand& b, int64_t n, Range inner, float* to, int64_t panel_size) {
  const int64_t whole = n / kTileColumns, rest = n % kTileColumns;
  for (int64_t k = 0; k < inner.size(); k++) {
    const float* from = b.data + (inner.begin + k) * b.stride;
    float* row = to + k * kTileColumns;
    for (int64_t panel = 0; panel < whole; panel++, row += panel_size, from += kTileColumns)
      for (int v = 0; v < kTileVectors; v++) StoreVec(row + v * kLanes, LoadVec(from + v * kLanes));
    if (rest > 0) {
      std::copy_n(from, rest, row);
      std::fill_n(row + rest, kTileColumns - rest, 0.0f);
    }
  }
}

// The same for one panel of a transposed B.
inline void PackTransposedPanel(const Operand& b, Range columns, Range inner, float* to) {
  if (columns.size() < kTileColumns) std::fill_n(to, inner.size() * kTileColumns, 0.0f);
  Transpose(b.data + columns.begin * b.stride + inner.begin, b.stride, columns.size(), inner.size(), to, kTileColumns);
}

}  // namespace mimlab

#endif  // MIMLAB_TILE_H_
