import { EngineError } from '@mimlab/core';
import type { Pointer, TensorflowApi } from './c-library.js';

/** TF_Code of a failed assertion, a wrong shape and the like. */
export const INVALID_ARGUMENT = 3;

/** TensorFlow refused. `code` is its TF_Code, `problem` its own message. */
export class TensorflowError extends EngineError {
  constructor(
    message: string,
    readonly code: number,
    place: string,
  ) {
    super(message, { place });
  }
}

/** @throws TensorflowError with TensorFlow's message if the status is not OK. */
export function checkStatus(api: TensorflowApi, status: Pointer, place: string): void {
  const code = Number(api.getCode(status));
  if (code !== 0) throw new TensorflowError(String(api.message(status)), code, place);
}

/** Calls `body` with a fresh status, checks it and deletes it. */
export function withStatus<T>(api: TensorflowApi, place: string, body: (status: Pointer) => T): T {
  const status = api.newStatus() as Pointer;
  try {
    const result = body(status);
    checkStatus(api, status, place);
    return result;
  } finally {
    api.deleteStatus(status);
  }
}

/** Calls `body` with a TF_Buffer that holds a copy of `bytes`. */
export function withBuffer<T>(api: TensorflowApi, bytes: Uint8Array, body: (buffer: Pointer) => T): T {
  const buffer = api.newBufferFromString(bytes, bytes.length) as Pointer;
  try {
    return body(buffer);
  } finally {
    api.deleteBuffer(buffer);
  }
}
