// One call of a kernel by TensorFlow, and how kernels are made known to it.
#ifndef MIMLAB_CALL_H_
#define MIMLAB_CALL_H_

#include <cstdint>
#include <vector>

#include "tensorflow_c.h"

namespace mimlab {

// The tensors of one call. The first failure is reported to TensorFlow; what follows is then skipped.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
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
  // As Output, in the memory of an input that nothing else reads any more. To be called before that input is looked at:
  // whoever holds it is a reader. `taken` says whether the output holds the input's numbers.
  TF_Tensor* OutputOver(int input, int index, const std::vector<int64_t>& shape, bool* taken) {
    int forwarded = -1;
    TF_Tensor* output = TF_ForwardInputOrAllocateOutput(context_, &input, 1, index, shape.data(), static_cast<int>(shape.size()), &forwarded, status_);
    *taken = forwarded == input;
    return Kept(output);
  }
  // Ends the run with this message; TensorFlow copies it.
  void Fail(const char* message) {
    TF_SetStatus(status_, TF_INTERNAL, message);
    Failed();
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

inline std::vector<int64_t> ShapeOf(const TF_Tensor* tensor) {
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(tensor, static_cast<int>(i));
  return shape;
}
template <typename T>
T* Data(TF_Tensor* tensor) {
  return static_cast<T*>(TF_TensorData(tensor));
}
inline float* Floats(TF_Tensor* tensor) { return Data<float>(tensor); }

// Reads the attributes of a node while its kernel is made.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction), status_(TF_NewStatus()) {}
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() {
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelConstruction_Failure(construction_, status_);
    TF_DeleteStatus(status_);
  }
  bool Bool(const char* name) {
    unsigned char value = 0;
    TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status_);
    return value != 0;
  }
  float Float(const char* name) {
    float value = 0;
    TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status_);
    return value;
  }
  int64_t Int(const char* name) {
    int64_t value = 0;
    TF_OpKernelConstruction_GetAttrInt64(construction_, name, &value, status_);
    return value;
  }

 private:
  TF_OpKernelConstruction* construction_;
  TF_Status* status_;
};

// Shapes are known from the recording; TensorFlow need not infer them.
inline void NoInference(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

// Operations that change variables must not be merged or left out.
enum class State { kUntouched, kChanged };

inline void DefineOp(const char* name, const std::vector<const char*>& inputs, const std::vector<const char*>& outputs,
                     const std::vector<const char*>& attrs, State state = State::kUntouched) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* attr : attrs) TF_OpDefinitionBuilderAddAttr(op, attr);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  if (state == State::kChanged) TF_OpDefinitionBuilderSetIsStateful(op, true);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &NoInference);
  TF_RegisterOpDefinition(op, status);
  TF_DeleteStatus(status);
}

using Create = void* (*)(TF_OpKernelConstruction*);
using Compute = void (*)(void*, TF_OpKernelContext*);
using Delete = void (*)(void*);

inline void DefineKernel(const char* op, Create create, Compute compute, Delete remove) {
  TF_Status* status = TF_NewStatus();
  TF_RegisterKernelBuilder(op, TF_NewKernelBuilder(op, "CPU", create, compute, remove), status);
  TF_DeleteStatus(status);
}

// A kernel with attributes, kept as a value of type T that is made from them.
template <typename T>
void DefineKernelWith(const char* op, Compute compute) {
  DefineKernel(
      op, [](TF_OpKernelConstruction* construction) -> void* {
        Attributes attributes(construction);
        return new T(attributes);
      },
      compute,
      [](void* kept) { delete static_cast<T*>(kept); });
}

}  // namespace mimlab

#endif  // MIMLAB_CALL_H_
