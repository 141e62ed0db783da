// Updates of variables, and the squares of gradients that they wait for, as operations.
#ifndef MIMLAB_UPDATE_OP_H_
#define MIMLAB_UPDATE_OP_H_

#include "adamw.h"
#include "call.h"
#include "pieces.h"

namespace mimlab {

struct AdamwOp {
  explicit AdamwOp(Attributes& attributes)
      : count(static_cast<int>(attributes.Int("N"))), beta1(attributes.Float("beta1")), beta2(attributes.Float("beta2")), norms(attributes.Bool("norms")) {}
  int count;
  float beta1, beta2;
  bool norms;
};

// TensorFlow's C API hands no variables to kernels, but what is read from a variable shares its memory until the variable
// gets another one: this operation writes there. The graph sees to it that nobody else reads any more, and that no two
// variables share memory. `again` is a second reading of the first parameter, to notice a library that copies.
inline void ComputeAdamw(void* kept, TF_OpKernelContext* context) {
  const AdamwOp& op = *static_cast<AdamwOp*>(kept);
  Call call(context);
  std::vector<AdamwArrays> arrays;
  for (int i = 0; i < op.count; i++) {
    TF_Tensor *param = call.Input(i), *first = call.Input(op.count + i), *second = call.Input(2 * op.count + i), *gradient = call.Input(3 * op.count + i);
    if (call.Failed()) return;
    arrays.push_back({Floats(param), Floats(first), Floats(second), Floats(gradient), TF_TensorElementCount(param)});
  }
  float numbers[4] = {};
  TF_Tensor* again = call.Input(4 * op.count);
  for (int i = 0; i < 4; i++)
    if (TF_Tensor* number = call.Input(4 * op.count + 1 + i)) numbers[i] = *Floats(number);
  TF_Tensor *params = call.Output(0, {}, TF_FLOAT), *changes = call.Output(1, {}, TF_FLOAT);
  if (call.Failed()) return;
  if (Floats(again) != arrays[0].param) return call.Fail("this TensorFlow reads variables by copying them: work without the fused kernels (MIMLAB_FUSED_KERNELS=0)");
  const AdamwNumbers all{op.beta1, op.beta2, numbers[0], numbers[1], numbers[2], numbers[3]};
  const AdamwSquares squares = op.norms ? Adamw<true>(arrays, all) : Adamw<false>(arrays, all);
  *Floats(params) = squares.param / 2;
  *Floats(changes) = squares.change / 2;
}

struct HalfSquaresOp {
  explicit HalfSquaresOp(Attributes& attributes) : count(static_cast<int>(attributes.Int("N"))) {}
  int count;
};

// Half the sum of squares of many arrays, each too small to be worth an operation of its own.
inline void ComputeHalfSquares(void* kept, TF_OpKernelContext* context) {
  Call call(context);
  std::vector<const float*> arrays;
  std::vector<int64_t> lengths;
  for (int i = 0; i < static_cast<HalfSquaresOp*>(kept)->count; i++) {
    TF_Tensor* array = call.Input(i);
    if (call.Failed()) return;
    arrays.push_back(Floats(array));
    lengths.push_back(TF_TensorElementCount(array));
  }
  TF_Tensor* sum = call.Output(0, {}, TF_FLOAT);
  if (call.Failed()) return;
  const std::vector<ArrayPiece> pieces = PiecesOfArrays(lengths);
  std::vector<float> parts(pieces.size());
  ForEachPiece(pieces, [&](const ArrayPiece& piece, size_t number) { parts[number] = SquaresOf(arrays[piece.array] + piece.begin, piece.end - piece.begin); });
  *Floats(sum) = SumInOrder(parts) / 2;
}

inline void DefineUpdates() {
  DefineOp("MimlabAdamw",
           {"params: N * float", "first: N * float", "second: N * float", "gradients: N * float", "again: float", "alpha: float", "epsilon: float",
            "decay: float", "scale: float"},
           {"params_half_square: float", "changes_half_square: float"}, {"N: int >= 1", "beta1: float", "beta2: float", "norms: bool"}, State::kChanged);
  DefineOp("MimlabHalfSquares", {"arrays: N * float"}, {"half_square: float"}, {"N: int >= 1"});
  DefineKernelWith<AdamwOp>("MimlabAdamw", &ComputeAdamw);
  DefineKernelWith<HalfSquaresOp>("MimlabHalfSquares", &ComputeHalfSquares);
}

}  // namespace mimlab

#endif  // MIMLAB_UPDATE_OP_H_
