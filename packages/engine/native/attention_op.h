// Attention and its gradient as operations.
#ifndef MIMLAB_ATTENTION_OP_H_
#define MIMLAB_ATTENTION_OP_H_

#include "attention.h"
#include "call.h"

namespace mimlab {

struct AttentionOp {
  explicit AttentionOp(Attributes& attributes) : tokens(attributes.Int("tokens")), heads(attributes.Int("heads")) {}
  int64_t tokens, heads;
  AttentionSize SizeOf(const TF_Tensor* qkv) const { return {TF_Dim(qkv, 0) / tokens, tokens, heads, TF_Dim(qkv, 1) / 3}; }
};

inline void ComputeAttention(void* op, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* qkv = call.Input(0);
  if (call.Failed()) return;
  const AttentionSize size = static_cast<AttentionOp*>(op)->SizeOf(qkv);
  const TF_DataType type = TF_TensorType(qkv);
  TF_Tensor* out = call.Output(0, {TF_Dim(qkv, 0), size.width}, type);
  if (call.Failed()) return;
  if (type == TF_FLOAT)
    Attention(Floats(qkv), size, Floats(out));
  else
    Attention(Data<Half>(qkv), size, Data<Half>(out));
}

inline void ComputeAttentionGrad(void* op, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *dout = call.Input(0), *qkv = call.Input(1), *out = call.Input(2);
  if (call.Failed()) return;
  const AttentionSize size = static_cast<AttentionOp*>(op)->SizeOf(qkv);
  const TF_DataType type = TF_TensorType(qkv);
  TF_Tensor* dqkv = call.Output(0, ShapeOf(qkv), type);
  if (call.Failed()) return;
  if (type == TF_FLOAT)
    AttentionGrad(Floats(dout), Floats(qkv), Floats(out), size, Floats(dqkv));
  else
    AttentionGrad(Data<Half>(dout), Data<Half>(qkv), Data<Half>(out), size, Data<Half>(dqkv));
}

inline void DefineAttention() {
  const std::vector<const char*> attrs{"tokens: int >= 1", "heads: int >= 1", "T: {float, bfloat16}"};
  DefineOp("MimlabAttention", {"qkv: T"}, {"out: T"}, attrs);
  DefineOp("MimlabAttentionGrad", {"dout: T", "qkv: T", "out: T"}, {"dqkv: T"}, attrs);
  DefineKernelWith<AttentionOp>("MimlabAttention", &ComputeAttention);
  DefineKernelWith<AttentionOp>("MimlabAttentionGrad", &ComputeAttentionGrad);
}

}  // namespace mimlab

#endif  // MIMLAB_ATTENTION_OP_H_
