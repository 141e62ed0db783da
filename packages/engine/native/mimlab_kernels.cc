// Fused CPU kernels for the graph engine: chains of elementwise operations and reductions that TensorFlow's executor
// would run one pass over memory at a time. Registered through TensorFlow's C API, which needs no matching compiler. The
// engine works without this library; see src/graph/native-kernels.ts.

#include "attention_op.h"
#include "call.h"
#include "product_op.h"
#include "rows.h"
#include "update_op.h"

namespace {

using mimlab::Call;
using mimlab::Data;
using mimlab::Floats;
using mimlab::Half;
using mimlab::ShapeOf;

void ComputeGelu(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.Input(0);
  if (call.Failed()) return;
  const TF_DataType type = TF_TensorType(x);
  TF_Tensor* y = call.Output(0, ShapeOf(x), type);
  TF_Tensor* slope = call.Output(1, ShapeOf(x), type);
  if (call.Failed()) return;
  const int64_t count = TF_TensorElementCount(x);
  if (type == TF_FLOAT) {
    mimlab::Gelu(Floats(x), Floats(y), Floats(slope), count);
  } else {
    mimlab::Gelu(Data<Half>(x), Data<Half>(y), Data<Half>(slope), count);
  }
}

struct Rows {
  int64_t count, width;
};
Rows RowsOf(const TF_Tensor* x) {
  const int64_t width = TF_Dim(x, TF_NumDims(x) - 1);
  return {width == 0 ? 0 : TF_TensorElementCount(x) / width, width};
}

struct LayerNormOp {
  explicit LayerNormOp(mimlab::Attributes& attributes) : epsilon(attributes.Float("epsilon")) {}
  float epsilon;
};

void ComputeLayerNorm(void* op, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.Input(0), *gain = call.Input(1), *offset = call.Input(2);
  if (call.Failed()) return;
  const auto [rows, width] = RowsOf(x);
  std::vector<int64_t> statistics = ShapeOf(x);
  statistics.back() = 1;
  TF_Tensor* y = call.Output(0, ShapeOf(x), TF_FLOAT);
  TF_Tensor* mean = call.Output(1, statistics, TF_FLOAT);
  TF_Tensor* rstd = call.Output(2, statistics, TF_FLOAT);
  if (call.Failed()) return;
  mimlab::LayerNorm(Floats(x), Floats(gain), Floats(offset), static_cast<LayerNormOp*>(op)->epsilon, rows, width, Floats(y), Floats(mean), Floats(rstd));
}

void ComputeLayerNormGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *dy = call.Input(0), *x = call.Input(1), *gain = call.Input(2), *mean = call.Input(3), *rstd = call.Input(4);
  if (call.Failed()) return;
  const auto [rows, width] = RowsOf(x);
  TF_Tensor* dx = call.Output(0, ShapeOf(x), TF_FLOAT);
  TF_Tensor* dgain = call.Output(1, {width}, TF_FLOAT);
  TF_Tensor* doffset = call.Output(2, {width}, TF_FLOAT);
  if (call.Failed()) return;
  mimlab::LayerNormGrad(Floats(dy), Floats(x), Floats(gain), Floats(mean), Floats(rstd), rows, width, Floats(dx), Floats(dgain), Floats(doffset));
}

void ComputeColumnSums(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.Input(0);
  if (call.Failed()) return;
  const auto [rows, width] = RowsOf(x);
  TF_Tensor* sums = call.Output(0, {width}, TF_FLOAT);
  if (call.Failed()) return;
  mimlab::ColumnSums(Floats(x), rows, width, Floats(sums));
}

__attribute__((constructor)) void Register() {
  using mimlab::DefineKernel, mimlab::DefineKernelWith, mimlab::DefineOp;
  DefineOp("MimlabGelu", {"x: T"}, {"y: T", "slope: T"}, {"T: {float, bfloat16}"});
  DefineOp("MimlabLayerNorm", {"x: float", "gain: float", "offset: float"}, {"y: float", "mean: float", "rstd: float"}, {"epsilon: float"});
  DefineOp("MimlabLayerNormGrad", {"dy: float", "x: float", "gain: float", "mean: float", "rstd: float"},
           {"dx: float", "dgain: float", "doffset: float"}, {});
  DefineOp("MimlabColumnSums", {"x: float"}, {"sums: float"}, {});
  DefineKernel("MimlabGelu", nullptr, &ComputeGelu, nullptr);
  DefineKernelWith<LayerNormOp>("MimlabLayerNorm", &ComputeLayerNorm);
  DefineKernel("MimlabLayerNormGrad", nullptr, &ComputeLayerNormGrad, nullptr);
  DefineKernel("MimlabColumnSums", nullptr, &ComputeColumnSums, nullptr);
  mimlab::DefineProducts();
  mimlab::DefineAttention();
  mimlab::DefineUpdates();
}

}  // namespace

// Threads that a kernel may use, the calling one included. Only ever grows: sessions share the pool.
extern "C" void MimlabSetThreads(int threads) { mimlab::SharedPool().Grow(threads); }
