// Fused CPU kernels for the graph engine: chains of elementwise operations and reductions that TensorFlow's executor
// would run one pass over memory at a time. Registered through TensorFlow's C API, which needs no matching compiler. The
// engine works without this library; see src/graph/native-kernels.ts.

#include <cstdint>
#include <vector>

#include "rows.h"
#include "tensorflow_c.h"

namespace {

using mimlab::Half;

// The tensors of one call. The first failure is reported to TensorFlow; what follows is then skipped.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  ~Call() {
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  TF_Tensor* Input(int index) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    return Kept(tensor);
  }
  TF_Tensor* Output(int index, const std::vector<int64_t>& shape, TF_DataType type) {
    size_t bytes = TF_DataTypeSize(type);
    for (int64_t side : shape) bytes *= static_cast<size_t>(side);
    return Kept(TF_AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()), bytes, status_));
  }
  bool Failed() {
    if (TF_GetCode(status_) == TF_OK) return false;
    TF_OpKernelContext_Failure(context_, status_);
    return true;
  }

 private:
  TF_Tensor* Kept(TF_Tensor* tensor) {
    if (tensor != nullptr) tensors_.push_back(tensor);
    return tensor;
  }
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

std::vector<int64_t> ShapeOf(const TF_Tensor* tensor) {
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(tensor, static_cast<int>(i));
  return shape;
}
template <typename T>
T* Data(TF_Tensor* tensor) {
  return static_cast<T*>(TF_TensorData(tensor));
}
float* Floats(TF_Tensor* tensor) { return Data<float>(tensor); }

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

void* CreateLayerNorm(TF_OpKernelConstruction* construction) {
  TF_Status* status = TF_NewStatus();
  auto* epsilon = new float(0);
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", epsilon, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return epsilon;
}
void DeleteLayerNorm(void* epsilon) { delete static_cast<float*>(epsilon); }

void ComputeLayerNorm(void* epsilon, TF_OpKernelContext* context) {
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
  mimlab::LayerNorm(Floats(x), Floats(gain), Floats(offset), *static_cast<float*>(epsilon), rows, width, Floats(y), Floats(mean), Floats(rstd));
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

// Shapes are known from the recording; TensorFlow need not infer them.
void NoInference(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

void DefineOp(const char* name, const std::vector<const char*>& inputs, const std::vector<const char*>& outputs, const std::vector<const char*>& attrs) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* attr : attrs) TF_OpDefinitionBuilderAddAttr(op, attr);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &NoInference);
  TF_RegisterOpDefinition(op, status);
  TF_DeleteStatus(status);
}

using Create = void* (*)(TF_OpKernelConstruction*);
using Compute = void (*)(void*, TF_OpKernelContext*);
using Delete = void (*)(void*);

void DefineKernel(const char* op, Create create, Compute compute, Delete remove) {
  TF_Status* status = TF_NewStatus();
  TF_RegisterKernelBuilder(op, TF_NewKernelBuilder(op, "CPU", create, compute, remove), status);
  TF_DeleteStatus(status);
}

__attribute__((constructor)) void Register() {
  DefineOp("MimlabGelu", {"x: T"}, {"y: T", "slope: T"}, {"T: {float, bfloat16}"});
  DefineOp("MimlabLayerNorm", {"x: float", "gain: float", "offset: float"}, {"y: float", "mean: float", "rstd: float"}, {"epsilon: float"});
  DefineOp("MimlabLayerNormGrad", {"dy: float", "x: float", "gain: float", "mean: float", "rstd: float"},
           {"dx: float", "dgain: float", "doffset: float"}, {});
  DefineOp("MimlabColumnSums", {"x: float"}, {"sums: float"}, {});
  DefineKernel("MimlabGelu", nullptr, &ComputeGelu, nullptr);
  DefineKernel("MimlabLayerNorm", &CreateLayerNorm, &ComputeLayerNorm, &DeleteLayerNorm);
  DefineKernel("MimlabLayerNormGrad", nullptr, &ComputeLayerNormGrad, nullptr);
  DefineKernel("MimlabColumnSums", nullptr, &ComputeColumnSums, nullptr);
}

}  // namespace

// Threads that a kernel may use, the calling one included. Only ever grows: sessions share the pool.
extern "C" void MimlabSetThreads(int threads) { mimlab::SharedPool().Grow(threads); }
