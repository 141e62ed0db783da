import { BinaryWriter } from '@bufbuild/protobuf/wire';

export interface SessionConfig {
  /** Threads inside one operation. */
  readonly threads: number;
  /** Let TensorFlow cluster operations with XLA, on CPUs too. */
  readonly xla: boolean;
}

/**
 * Bytes of a tensorflow.ConfigProto (tensorflow/core/protobuf/config.proto).
 * One operation runs at a time: the order of the graph then bounds memory, and threads inside operations do the work.
 *
 * Without XLA TensorFlow's own rewriting of graphs is off, both the grappler and the older passes behind it: steps come
 * folded, merged, pruned and fused already, so it finds nothing and takes longer than everything else about compiling
 * (docs/benchmarks.md, "Loader and start-up"). The two go together: without the grappler the older constant folding would
 * compute large zero-filled tensors while it compiles, and keep them.
 */
export function configProto({ threads, xla }: SessionConfig): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(field(2, 0)).int32(threads); // intra_op_parallelism_threads
  writer.uint32(field(5, 0)).int32(1); // inter_op_parallelism_threads
  // A GPU's memory is taken as needed, not all at once: eager tfjs and other engines may share the device.
  writer.uint32(field(6, 2)).fork().uint32(field(4, 0)).bool(true).join(); // gpu_options.allow_growth
  writer.uint32(field(9, 0)).bool(true); // use_per_session_threads
  writer.uint32(field(10, 2)).fork(); // graph_options
  writer.uint32(field(3, 2)).fork(); // optimizer_options
  if (xla) {
    writer.uint32(field(5, 0)).int32(2); // global_jit_level ON_2
    writer.uint32(field(7, 0)).bool(true).join(); // cpu_global_jit
  } else {
    writer.uint32(field(3, 0)).int32(-1).join(); // opt_level L0
    writer.uint32(field(10, 2)).fork().uint32(field(19, 0)).bool(true).join(); // rewrite_options.disable_meta_optimizer
  }
  writer.join();
  return writer.finish();
}

const field = (number: number, wireType: number): number => (number << 3) | wireType;
