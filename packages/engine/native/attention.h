// Multi-head self-attention straight from rows [q | k | v]: one task for each sequence and head, whose scores never leave
// the caches. Nothing but its operands is kept for the gradient, which makes the probabilities again.
#ifndef MIMLAB_ATTENTION_H_
#define MIMLAB_ATTENTION_H_

#include <cmath>

#include "product.h"
#include "rows.h"

namespace mimlab {

struct AttentionSize {
  int64_t batch, tokens, heads, width;
  int64_t head() const { return width / heads; }
  // Rows of scores, padded so that tiles are whole.
  int64_t scores() const { return Pieces(tokens, kTileColumns) * kTileColumns; }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head())); }
};

// The columns of one head in a matrix of rows, as floats.
struct HeadRows {
  const float* data;
  int64_t stride;
  Operand AsOperand(bool transposed = false) const { return {data, stride, transposed}; }
};
inline HeadRows ReadHead(const float* from, int64_t stride, const AttentionSize&, float*) { return {from, stride}; }
inline HeadRows ReadHead(const Half* from, int64_t stride, const AttentionSize& size, float* room) {
  const int64_t head = size.head();
  for (int64_t t = 0; t < size.tokens; t++)
    for (int64_t i = 0; i < head; i++) room[t * head + i] = Load(from[t * stride + i]);
  return {room, head};
}

// C = A B into the columns of one head.
inline void ProductToHead(int64_t k, const Operand& a, const Operand& b, const AttentionSize& size, float* to, int64_t stride, float*) {
  LocalProduct(size.tokens, size.head(), k, a, b, to, stride);
}
inline void ProductToHead(int64_t k, const Operand& a, const Operand& b, const AttentionSize& size, Half* to, int64_t stride, float* room) {
  const int64_t head = size.head();
  LocalProduct(size.tokens, head, k, a, b, room, head);
  for (int64_t t = 0; t < size.tokens; t++)
    for (int64_t i = 0; i < head; i++) Store(&to[t * stride + i], room[t * head + i]);
}

// softmax(q k^T scale), rows size.scores() apart and padded with zeros.
inline void Probabilities(const HeadRows& q, const HeadRows& k, const AttentionSize& size, float* to) {
  const int64_t tokens = size.tokens, padded = size.scores();
  const float scale = size.scale();
  LocalProduct(tokens, tokens, size.head(), q.AsOperand(), k.AsOperand(true), to, padded, true);
  for (int64_t t = 0; t < tokens; t++) {
    float* row = to + t * padded;
    for (int64_t i = tokens; i < padded; i++) row[i] = -1e30f;
    Vec largest = LoadVec(row), sums{};
    for (int64_t i = kLanes; i < padded; i += kLanes) largest = Larger(LoadVec(row + i), largest);
    const float top = LargestOf(largest);
    for (int64_t i = 0; i < padded; i += kLanes) {
      const Vec e = ExpOfNegative((LoadVec(row + i) - top) * scale);
      StoreVec(row + i, e);
      sums += e;
    }
    const float share = 1.0f / SumOf(sums);
    for (int64_t i = 0; i < padded; i += kLanes) StoreVec(row + i, LoadVec(row + i) * share);
  }
}

// Runs body(rows of the sequence, column of the head, room) for every sequence and head. `matrices` and `heads`: how many
// matrices of scores and of one head's columns the room is to hold, in this order.
template <typename F>
void ForEachHead(const AttentionSize& size, int64_t matrices, int64_t heads, const F& body) {
  const int64_t room = matrices * size.tokens * size.scores() + heads * size.tokens * size.head();
  SharedPool().Run(size.batch * size.heads, [&](int64_t task) {
    body(task / size.heads * size.tokens, task % size.heads * size.head(), Scratch(3, room));
  });
}

// out [B n, D] from qkv [B n, 3 D].
template <typename T>
void Attention(const T* qkv, const AttentionSize& size, T* out) {
  const int64_t width = size.width, head = size.tokens * size.head();
  ForEachHead(size, 1, 4, [=](int64_t row, int64_t column, float* room) {
    float* heads = room + size.tokens * size.scores();
    const T* from = qkv + row * 3 * width + column;
    const HeadRows q = ReadHead(from, 3 * width, size, heads), k = ReadHead(from + width, 3 * width, size, heads + head);
    const HeadRows v = ReadHead(from + 2 * width, 3 * width, size, heads + 2 * head);
    Probabilities(q, k, size, room);
    ProductToHead(size.tokens, {room, size.scores(), false}, v.AsOperand(), size, out + row * width + column, width, heads + 3 * head);
  });
}

// Gradient of qkv from that of out. The sum over dP * P of a row is that over dOut * out.
template <typename T>
void AttentionGrad(const T* dout, const T* qkv, const T* out, const AttentionSize& size, T* dqkv) {
  const int64_t width = size.width, tokens = size.tokens, padded = size.scores(), head = tokens * size.head();
  ForEachHead(size, 2, 6, [=](int64_t row, int64_t column, float* room) {
    float *probabilities = room, *scores = room + tokens * padded, *heads = scores + tokens * padded;
    const T* from = qkv + row * 3 * width + column;
    const HeadRows q = ReadHead(from, 3 * width, size, heads), k = ReadHead(from + width, 3 * width, size, heads + head);
    const HeadRows v = ReadHead(from + 2 * width, 3 * width, size, heads + 2 * head);
    const HeadRows dy = ReadHead(dout + row * width + column, width, size, heads + 3 * head);
    const HeadRows y = ReadHead(out + row * width + column, width, size, heads + 4 * head);
    float* result = heads + 5 * head;
    T* to = dqkv + row * 3 * width + column;
    Probabilities(q, k, size, probabilities);
    ProductToHead(tokens, {probabilities, padded, true}, dy.AsOperand(), size, to + 2 * width, 3 * width, result);
    LocalProduct(tokens, tokens, size.head(), dy.AsOperand(), v.AsOperand(true), scores, padded, true);
    for (int64_t t = 0; t < tokens; t++) {
      float shift = 0;
      for (int64_t i = 0; i < size.head(); i++) shift += dy.data[t * dy.stride + i] * y.data[t * y.stride + i];
      for (int64_t i = t * padded; i < (t + 1) * padded; i += kLanes)
        StoreVec(scores + i, LoadVec(probabilities + i) * (LoadVec(scores + i) - shift) * size.scale());
    }
    ProductToHead(tokens, {scores, padded, false}, k.AsOperand(), size, to, 3 * width, result);
    ProductToHead(tokens, {scores, padded, true}, q.AsOperand(), size, to + width, 3 * width, result);
  });
}

}  // namespace mimlab

#endif  // MIMLAB_ATTENTION_H_
