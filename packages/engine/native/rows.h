// The arithmetic of the fused kernels over plain arrays. Loops are written for the compiler's vectoriser.
#ifndef MIMLAB_ROWS_H_
#define MIMLAB_ROWS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "parallel.h"

namespace mimlab {

// A bfloat16 as TensorFlow stores it: the upper half of a float.
struct Half {
  uint16_t bits;
};

inline float Load(float x) { return x; }
inline float Load(Half x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline void Store(float* to, float x) { *to = x; }
inline void Store(Half* to, float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  // Rounds to nearest even.
  to->bits = static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// exp(x) for x <= 0 to about one unit in the last place: x = n ln 2 + r, a polynomial in r, n put into the exponent.
inline float ExpOfNegative(float x) {
  const float clamped = x < -87.0f ? -87.0f : x;
  const float n = std::nearbyint(clamped * 1.44269504f);
  const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

// y = x Phi(x) and its derivative Phi(x) + x phi(x), where y may be x. The error function is Abramowitz and Stegun's
// 7.1.26 (absolute error 1.5e-7); its exponential is the one that phi needs.
template <typename T>
inline void GeluOf(const T* x, T* y, T* slope, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const float value = Load(x[i]);
    const float u = value * 0.70710678f;
    const float gauss = ExpOfNegative(-u * u);
    const float t = 1.0f / (1.0f + 0.3275911f * std::fabs(u));
    // Half the complementary error function of |u|.
    const float tail = 0.5f * ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * gauss;
    const float distribution = u < 0 ? tail : 1.0f - tail;
    Store(&y[i], value * distribution);
    Store(&slope[i], distribution + value * 0.39894228f * gauss);
  }
}
template <typename T>
void Gelu(const T* x, T* y, T* slope, int64_t count) {
  ByPieces(count, PiecesOf(count, 16384), [=](int64_t, int64_t begin, int64_t end) { GeluOf(x + begin, y + begin, slope + begin, end - begin); });
}

// Layer norm of rows; `mean` and `rstd` hold one number a row.
inline void LayerNorm(const float* x, const float* gain, const float* offset, float epsilon, int64_t rows, int64_t width, float* y, float* mean,
                      float* rstd) {
  ByPieces(rows, PiecesOf(rows, 32), [=](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float* from = x + row * width;
      float* to = y + row * width;
      float sum = 0;
      for (int64_t i = 0; i < width; i++) sum += from[i];
      const float centre = sum / static_cast<float>(width);
      float squares = 0;
      for (int64_t i = 0; i < width; i++) squares += (from[i] - centre) * (from[i] - centre);
      const float scale = 1.0f / std::sqrt(squares / static_cast<float>(width) + epsilon);
      for (int64_t i = 0; i < width; i++) to[i] = (from[i] - centre) * scale * gain[i] + offset[i];
      mean[row] = centre;
      rstd[row] = scale;
    }
  });
}

// Adds `pieces` vectors in their order.
inline void AddPieces(const std::vector<float>& partial, int64_t pieces, int64_t width, float* to) {
  std::copy_n(partial.data(), width, to);
  for (int64_t piece = 1; piece < pieces; piece++) {
    const float* from = partial.data() + piece * width;
    for (int64_t i = 0; i < width; i++) to[i] += from[i];
  }
}

// Gradients of LayerNorm by x, gain and offset. `dx` may be `dy`.
inline void LayerNormGrad(const float* dy, const float* x, const float* gain, const float* mean, const float* rstd, int64_t rows, int64_t width,
                          float* dx, float* dgain, float* doffset) {
  const int64_t pieces = PiecesOf(rows, 32);
  std::vector<float> gains(pieces * width), offsets(pieces * width);
  ByPieces(rows, pieces, [&](int64_t piece, int64_t begin, int64_t end) {
    float* gain_sum = gains.data() + piece * width;
    float* offset_sum = offsets.data() + piece * width;
    for (int64_t row = begin; row < end; row++) {
      const float* grad = dy + row * width;
      const float* from = x + row * width;
      float* to = dx + row * width;
      const float centre = mean[row], scale = rstd[row];
      float of_grad = 0, of_product = 0;
      for (int64_t i = 0; i < width; i++) {
        const float normal = (from[i] - centre) * scale;
        const float scaled = grad[i] * gain[i];
        of_grad += scaled;
        of_product += scaled * normal;
      }
      for (int64_t i = 0; i < width; i++) {
        gain_sum[i] += grad[i] * (from[i] - centre) * scale;
        offset_sum[i] += grad[i];
      }
      of_grad /= static_cast<float>(width);
      of_product /= static_cast<float>(width);
      for (int64_t i = 0; i < width; i++) {
        const float normal = (from[i] - centre) * scale;
        to[i] = (grad[i] * gain[i] - of_grad - normal * of_product) * scale;
      }
    }
  });
  AddPieces(gains, pieces, width, dgain);
  AddPieces(offsets, pieces, width, doffset);
}

// Sums of the columns of a matrix.
inline void ColumnSums(const float* x, int64_t rows, int64_t width, float* sums) {
  const int64_t pieces = PiecesOf(rows, 64);
  std::vector<float> partial(pieces * width);
  ByPieces(rows, pieces, [&](int64_t piece, int64_t begin, int64_t end) {
    float* sum = partial.data() + piece * width;
    for (int64_t row = begin; row < end; row++) {
      const float* from = x + row * width;
      for (int64_t i = 0; i < width; i++) sum[i] += from[i];
    }
  });
  AddPieces(partial, pieces, width, sums);
}

}  // namespace mimlab

#endif  // MIMLAB_ROWS_H_
