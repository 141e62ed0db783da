// Matrix products as operations, with what stands right behind them in a network done while the result is in the cache.
#ifndef MIMLAB_PRODUCT_OP_H_
#define MIMLAB_PRODUCT_OP_H_

#include "call.h"
#include "pieces.h"
#include "product.h"
#include "rows.h"

namespace mimlab {

// ((A B) + bias) * factor + addend, each of the three where it is given; with `square` also half the sum of the result's
// squares.
struct ProductOp {
  explicit ProductOp(Attributes& attributes)
      : transpose_a(attributes.Bool("transpose_a")),
        transpose_b(attributes.Bool("transpose_b")),
        bias(attributes.Bool("bias")),
        factor(attributes.Bool("factor")),
        addend(attributes.Bool("addend")),
        square(attributes.Bool("square")) {}
  bool transpose_a, transpose_b, bias, factor, addend, square;
};

struct ProductShape {
  int64_t m, n, k;
  Operand a, b;
};
inline ProductShape ShapeOfProduct(TF_Tensor* a, TF_Tensor* b, bool transpose_a, bool transpose_b) {
  return {TF_Dim(a, transpose_a ? 1 : 0),
          TF_Dim(b, transpose_b ? 0 : 1),
          TF_Dim(a, transpose_a ? 0 : 1),
          {Floats(a), TF_Dim(a, 1), transpose_a},
          {Floats(b), TF_Dim(b, 1), transpose_b}};
}

inline void ComputeProduct(void* kept, TF_OpKernelContext* context) {
  const ProductOp& op = *static_cast<ProductOp*>(kept);
  Call call(context);
  TF_Tensor *a = call.Input(0), *b = call.Input(1);
  if (call.Failed()) return;
  const ProductShape shape = ShapeOfProduct(a, b, op.transpose_a, op.transpose_b);
  int next = 2;
  const int bias = op.bias ? next++ : -1, factor = op.factor ? next++ : -1, addend = op.addend ? next++ : -1;
  // Behind a factor the sum comes too late to begin with it.
  bool taken = false;
  const std::vector<int64_t> result{shape.m, shape.n};
  TF_Tensor* c = op.addend && !op.factor ? call.OutputOver(addend, 0, result, &taken) : call.Output(0, result, TF_FLOAT);
  TF_Tensor* half_square = call.Output(1, {}, TF_FLOAT);
  const float* biases = op.bias ? Floats(call.Input(bias)) : nullptr;
  const float* factors = op.factor ? Floats(call.Input(factor)) : nullptr;
  const float* addends = op.addend && !taken ? Floats(call.Input(addend)) : nullptr;
  if (call.Failed()) return;
  float* to = Floats(c);
  std::vector<float> squares(op.square ? static_cast<size_t>(LargestPieceCount(shape.m, shape.n)) : 0);
  float* const parts = op.square ? squares.data() : nullptr;
  Product(shape.m, shape.n, shape.k, shape.a, shape.b, {biases, taken}, to, [=](Range rows, Range columns, int64_t piece) {
    if (factors == nullptr && addends == nullptr && parts == nullptr) return;
    for (int64_t row = rows.begin; row < rows.end; row++) {
      const int64_t begin = row * shape.n + columns.begin, end = row * shape.n + columns.end;
      if (factors != nullptr)
        for (int64_t i = begin; i < end; i++) to[i] *= factors[i];
      if (addends != nullptr)
        for (int64_t i = begin; i < end; i++) to[i] += addends[i];
      if (parts != nullptr) parts[piece] += SquaresOf(to + begin, end - begin);
    }
  });
  *Floats(half_square) = SumInOrder(squares) / 2;
}

struct ProductGeluOp {
  explicit ProductGeluOp(Attributes& attributes) : transpose_a(attributes.Bool("transpose_a")), transpose_b(attributes.Bool("transpose_b")) {}
  bool transpose_a, transpose_b;
};

// GELU of A B + bias, and its slope.
inline void ComputeProductGelu(void* kept, TF_OpKernelContext* context) {
  const ProductGeluOp& op = *static_cast<ProductGeluOp*>(kept);
  Call call(context);
  TF_Tensor *a = call.Input(0), *b = call.Input(1), *bias = call.Input(2);
  if (call.Failed()) return;
  const ProductShape shape = ShapeOfProduct(a, b, op.transpose_a, op.transpose_b);
  const std::vector<int64_t> result{shape.m, shape.n};
  TF_Tensor *y = call.Output(0, result, TF_FLOAT), *slope = call.Output(1, result, TF_FLOAT);
  if (call.Failed()) return;
  float *to = Floats(y), *slopes = Floats(slope);
  Product(shape.m, shape.n, shape.k, shape.a, shape.b, {Floats(bias), false}, to, [=](Range rows, Range columns, int64_t) {
    for (int64_t row = rows.begin; row < rows.end; row++) {
      const int64_t begin = row * shape.n + columns.begin;
      GeluOf(to + begin, to + begin, slopes + begin, columns.size());
    }
  });
}

inline void DefineProducts() {
  DefineOp("MimlabProduct", {"a: float", "b: float", "extras: N * float"}, {"product: float", "half_square: float"},
           {"transpose_a: bool", "transpose_b: bool", "bias: bool", "factor: bool", "addend: bool", "square: bool = false", "N: int >= 0"});
  DefineOp("MimlabProductGelu", {"a: float", "b: float", "bias: float"}, {"y: float", "slope: float"}, {"transpose_a: bool", "transpose_b: bool"});
  DefineKernelWith<ProductOp>("MimlabProduct", &ComputeProduct);
  DefineKernelWith<ProductGeluOp>("MimlabProductGelu", &ComputeProductGelu);
}

}  // namespace mimlab

#endif  // MIMLAB_PRODUCT_OP_H_
