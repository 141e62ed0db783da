// Matrix products on the pool. Work is cut by shape alone and every sum has one order, so that results are the same bits
// on any number of threads.
#ifndef MIMLAB_PRODUCT_H_
#define MIMLAB_PRODUCT_H_

#include <cstddef>
#include <vector>

#include "parallel.h"
#include "tile.h"

namespace mimlab {

// Memory that a thread keeps for packed operands. `slot`: what is needed at the same time lies in different ones.
inline float* Scratch(int slot, int64_t count) {
  thread_local std::vector<float> kept[4];
  std::vector<float>& memory = kept[slot];
  const size_t needed = static_cast<size_t>(count) + 16;
  if (memory.size() < needed) {
    memory.clear();
    memory.resize(needed);
  }
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) & ~static_cast<uintptr_t>(63));
}

// What a product does besides multiplying.
struct ProductOptions {
  // One number a column, added to each row; may be null.
  const float* bias = nullptr;
  // The result is added to what C holds.
  bool add = false;
};

// Called for every finished piece of the result, while it is in the cache: rows, columns, and the number of the piece,
// below LargestPieceCount.
struct NoEpilogue {
  void operator()(Range, Range, int64_t) const {}
};

inline int64_t LargestPieceCount(int64_t m, int64_t n) { return std::max<int64_t>(Pieces(m, kTileRows) * Pieces(n, kTileColumns), 16); }

// One tile, cut off at the right edge of the result. `packed_a`: the tile as PackTiles left it, if it did.
inline void TileInto(const Operand& a, const float* packed_a, const float* packed_b, Range inner, Range rows, Range columns, const TileTarget& target) {
  const bool in_place = ReadInPlace(a);
  const TileFunction tile = TileOf(rows.size(), a.transposed ? Rows::kPacked : Rows::kInPlace);
  const float* from = in_place ? a.data + rows.begin * a.stride + inner.begin : packed_a;
  const int64_t stride = in_place ? a.stride : kCopiedStride;
  if (columns.size() == kTileColumns) return tile(from, stride, packed_b, inner.size(), target);
  float edge[kTileRows * kTileColumns];
  tile(from, stride, packed_b, inner.size(), {edge, kTileColumns, false, nullptr});
  for (int64_t r = 0; r < rows.size(); r++)
    for (int64_t c = 0; c < columns.size(); c++) {
      float& to = target.to[r * target.stride + c];
      to = edge[r * kTileColumns + c] + (target.bias == nullptr ? 0.0f : target.bias[c]) + (target.add ? to : 0.0f);
    }
}

// C = A B for large results: B is packed once for all, then tiles of C are computed independently.
template <typename Epilogue>
void ProductByTiles(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, const ProductOptions& options, float* c, const Epilogue& epilogue) {
  // Large tasks use what they have in their cache more often; with too few of them threads do not end together.
  constexpr int64_t kPanelsOfTask = 16, kTilesOfTask = 8, kFewTasks = 24;
  const int64_t panels = Pieces(n, kTileColumns), tiles = Pieces(m, kTileRows);
  float* packed = Scratch(0, panels * k * kTileColumns);
  const int64_t runs = Pieces(k, kRun);
  if (b.transposed) {
    SharedPool().Run(panels, [&](int64_t panel) { PackTransposedPanel(b, ColumnsOfPanel(n, panel), {0, k}, packed + panel * k * kTileColumns); });
  } else {
    const int64_t pieces = PiecesOf(k, 16);
    ByPieces(k, pieces, [&](int64_t, int64_t begin, int64_t end) { PackPanels(b, n, {begin, end}, packed + begin * kTileColumns, k * kTileColumns); });
  }
  const int64_t column_tasks = Pieces(panels, kPanelsOfTask);
  const int64_t row_tasks = std::max(Pieces(tiles, kTilesOfTask), std::min(tiles, Pieces(kFewTasks, column_tasks)));
  SharedPool().Run(row_tasks * column_tasks, [&](int64_t task) {
    const Range own_tiles = PieceOf(tiles, row_tasks, task / column_tasks);
    const Range own_panels = PieceOf(panels, column_tasks, task % column_tasks);
    float* packed_rows = Scratch(1, own_tiles.size() * kPackedTile);
    for (int64_t run = 0; run < runs; run++) {
      const Range inner = PieceOf(k, runs, run);
      const bool last = run == runs - 1;
      PackTiles(a, m, tiles, own_tiles, inner, packed_rows);
      for (int64_t tile = own_tiles.begin; tile < own_tiles.end; tile++) {
        const Range rows = RowsOfTile(m, tiles, tile);
        const float* packed_a = packed_rows + (tile - own_tiles.begin) * kPackedTile;
        for (int64_t panel = own_panels.begin; panel < own_panels.end; panel++) {
          const Range columns = ColumnsOfPanel(n, panel);
          const float* packed_b = packed + (panel * k + inner.begin) * kTileColumns;
          const float* bias = options.bias == nullptr || !last ? nullptr : options.bias + columns.begin;
          TileInto(a, packed_a, packed_b, inner, rows, columns, {c + rows.begin * n + columns.begin, n, options.add || run > 0, bias});
          if (last) epilogue(rows, columns, tile * panels + panel);
        }
      }
    }
  });
}

// C = A B for small results of long sums (gradients of weights): every task multiplies one run, then the runs are added.
template <typename Epilogue>
void ProductByRuns(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, const ProductOptions& options, float* c, const Epilogue& epilogue) {
  const int64_t runs = Pieces(k, kRun), tiles = Pieces(m, kTileRows), panels = Pieces(n, kTileColumns), size = m * n;
  float* partial = Scratch(0, (runs - 1) * size);
  SharedPool().Run(runs, [&](int64_t run) {
    const Range inner = PieceOf(k, runs, run);
    float* to = run == 0 ? c : partial + (run - 1) * size;
    float* packed_b = Scratch(2, panels * inner.size() * kTileColumns);
    float* packed_a = Scratch(1, tiles * kPackedTile);
    PackTiles(a, m, tiles, {0, tiles}, inner, packed_a);
    if (b.transposed) {
      for (int64_t panel = 0; panel < panels; panel++) {
        const Range columns = ColumnsOfPanel(n, panel);
        PackTransposedPanel(b, columns, inner, packed_b + columns.begin * inner.size());
      }
    } else {
      PackPanels(b, n, inner, packed_b, inner.size() * kTileColumns);
    }
    for (int64_t panel = 0; panel < panels; panel++) {
      const Range columns = ColumnsOfPanel(n, panel);
      const float* bias = options.bias == nullptr || run > 0 ? nullptr : options.bias + columns.begin;
      for (int64_t tile = 0; tile < tiles; tile++) {
        const Range rows = RowsOfTile(m, tiles, tile);
        const TileTarget target{to + rows.begin * n + columns.begin, n, options.add && run == 0, bias};
        TileInto(a, packed_a + tile * kPackedTile, packed_b + columns.begin * inner.size(), inner, rows, columns, target);
      }
    }
  });
  const int64_t pieces = PiecesOf(m, 8);
  ByPieces(m, pieces, [&](int64_t piece, int64_t begin, int64_t end) {
    for (int64_t run = 1; run < runs; run++) {
      const float* from = partial + (run - 1) * size;
      for (int64_t i = begin * n; i < end * n; i++) c[i] += from[i];
    }
    epilogue({begin, end}, {0, n}, piece);
  });
}

// C [m, n] = A [m, k] B [k, n] with the options' additions; C lies row by row.
template <typename Epilogue = NoEpilogue>
void Product(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, const ProductOptions& options, float* c, const Epilogue& epilogue = {}) {
  // Up to this size the sums of all runs fit into the caches.
  constexpr int64_t kSmall = 1 << 18;
  if (m == 0 || n == 0 || k == 0) return;
  if (k > 3 * kRun / 2 && m * n <= kSmall) return ProductByRuns(m, n, k, a, b, options, c, epilogue);
  // Packing no more of B than this at once bounds what threads keep for it.
  constexpr int64_t kLargestPacked = 1 << 22;
  const int64_t chunks = std::max<int64_t>(1, std::min(Pieces(k * n, kLargestPacked), k / kRun));
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    const Range inner = PieceOf(k, chunks, chunk);
    const Operand part_a{a.data + inner.begin * (a.transposed ? a.stride : 1), a.stride, a.transposed};
    const Operand part_b{b.data + inner.begin * (b.transposed ? 1 : b.stride), b.stride, b.transposed};
    const ProductOptions added{options.bias, options.add || chunk > 0};
    if (chunk == chunks - 1)
      ProductByTiles(m, n, inner.size(), part_a, part_b, added, c, epilogue);
    else
      ProductByTiles(m, n, inner.size(), part_a, part_b, {nullptr, added.add}, c, NoEpilogue());
  }
}

// A product for one thread, of matrices that fit into the caches. C has rows `stride` apart; if `padded`, columns up to the
// next multiple of kTileColumns are written too (as zeros).
inline void LocalProduct(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, float* c, int64_t stride, bool padded = false) {
  const int64_t tiles = Pieces(m, kTileRows), panels = Pieces(n, kTileColumns), runs = Pieces(k, kRun);
  float* packed_a = Scratch(1, tiles * kPackedTile);
  float* packed_b = Scratch(2, panels * kRun * kTileColumns);
  for (int64_t run = 0; run < runs; run++) {
    const Range inner = PieceOf(k, runs, run);
    PackTiles(a, m, tiles, {0, tiles}, inner, packed_a);
    if (!b.transposed) PackPanels(b, n, inner, packed_b, kRun * kTileColumns);
    for (int64_t panel = 0; panel < panels; panel++) {
      float* panel_b = packed_b + panel * kRun * kTileColumns;
      Range columns = ColumnsOfPanel(n, panel);
      if (b.transposed) PackTransposedPanel(b, columns, inner, panel_b);
      if (padded) columns.end = columns.begin + kTileColumns;
      for (int64_t tile = 0; tile < tiles; tile++) {
        const Range rows = RowsOfTile(m, tiles, tile);
        TileInto(a, packed_a + tile * kPackedTile, panel_b, inner, rows, columns, {c + rows.begin * stride + columns.begin, stride, run > 0, nullptr});
      }
    }
  }
}

}  // namespace mimlab

#endif  // MIMLAB_PRODUCT_H_
