// Vectors of the widest registers that the processor at hand has, in the compiler's own notation: one source for every
// machine, compiled where it runs.
#ifndef MIMLAB_VECTORS_H_
#define MIMLAB_VECTORS_H_

#include <cstdint>
#include <cstring>
#include <utility>

namespace mimlab {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef int32_t Lanes __attribute__((vector_size(kLanes * 4)));
// The same, for memory that need not be aligned.
typedef float LooseVec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

inline Vec LoadVec(const float* from) { return *reinterpret_cast<const LooseVec*>(from); }
inline void StoreVec(float* to, Vec x) { *reinterpret_cast<LooseVec*>(to) = x; }

inline Vec Broadcast(float x) { return Vec{} + x; }
inline Vec Larger(Vec a, Vec b) { return a > b ? a : b; }

inline float SumOf(Vec x) {
  float sum = 0;
  for (int i = 0; i < kLanes; i++) sum += x[i];
  return sum;
}
inline float LargestOf(Vec x) {
  float largest = x[0];
  for (int i = 1; i < kLanes; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

// exp(x) for x <= 0 to about one unit in the last place: x = n ln 2 + r, a polynomial in r, n put into the exponent. Below
// -80 it is zero: what comes next to it, times a small share, would be denormal, and those are slow.
inline Vec ExpOfNegative(Vec x) {
  const Vec clamped = x < -80.0f ? Broadcast(-80.0f) : x;
  // Conversion cuts off: for numbers below zero, less a half rounds to nearest.
  const Lanes n = __builtin_convertvector(clamped * 1.44269504f - 0.5f, Lanes);
  const Vec whole = __builtin_convertvector(n, Vec);
  const Vec r = (clamped - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Vec p = Broadcast(1.0f / 5040.0f);
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Lanes bits = (n + 127) << 23;
  Vec power;
  std::memcpy(&power, &bits, sizeof power);
  return x < -80.0f ? Vec{} : p * power;
}

// Which element of (a, b) side by side goes to each lane when blocks of `step` change places between two rows.
template <int... I>
constexpr Lanes KeptLanes(int step, std::integer_sequence<int, I...>) {
  return Lanes{((I & step) != 0 ? kLanes + I - step : I)...};
}
template <int... I>
constexpr Lanes MovedLanes(int step, std::integer_sequence<int, I...>) {
  return Lanes{((I & step) != 0 ? kLanes + I : I + step)...};
}

template <int kStep>
inline void TransposeStep(Vec* rows) {
  constexpr auto all = std::make_integer_sequence<int, kLanes>();
  const Lanes kept = KeptLanes(kStep, all), moved = MovedLanes(kStep, all);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++) {
    if ((i & kStep) != 0) continue;
    const Vec a = rows[i], b = rows[i + kStep];
    rows[i] = __builtin_shuffle(a, b, kept);
    rows[i + kStep] = __builtin_shuffle(a, b, moved);
  }
}

// Transposes a square of kLanes by kLanes numbers in registers.
inline void TransposeSquare(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  Vec rows[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++) rows[i] = LoadVec(from + i * from_stride);
  if constexpr (kLanes > 8) TransposeStep<8>(rows);
  if constexpr (kLanes > 4) TransposeStep<4>(rows);
  TransposeStep<2>(rows);
  TransposeStep<1>(rows);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++) StoreVec(to + i * to_stride, rows[i]);
}

// to[c][r] = from[r][c] for any number of rows and columns.
inline void Transpose(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t to_stride) {
  const int64_t whole_rows = rows - rows % kLanes, whole_columns = columns - columns % kLanes;
  for (int64_t c = 0; c < whole_columns; c += kLanes)
    for (int64_t r = 0; r < whole_rows; r += kLanes) TransposeSquare(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
  for (int64_t c = 0; c < columns; c++)
    for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; r++) to[c * to_stride + r] = from[r * from_stride + c];
}

}  // namespace mimlab

#endif  // MIMLAB_VECTORS_H_
