import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRunContext, type RunContext } from './run-context.js';

/** An IDX file: magic number, sides, bytes. */
function idx(sides: readonly number[], data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * sides.length);
  head.writeUInt32BE(0x0800 + sides.length);
  sides.forEach((side, i) => head.writeUInt32BE(side, 4 + 4 * i));
  return Buffer.concat([head, data]);
}

/** A data set in MNIST's format: `count` images of 8 x 8 in each split, every pixel of image i of value i. */
export function writeTinyDigits(folder: string, count = 12): string {
  mkdirSync(folder, { recursive: true });
  const pixels = Uint8Array.from({ length: count * 64 }, (_, at) => at >> 6);
  for (const part of ['train', 't10k']) {
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), idx([count, 8, 8], pixels));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), idx([count], Uint8Array.from({ length: count }, (_, i) => i % 10)));
  }
  return folder;
}

/** Overrides that make a run of 16 tokens out of a preset for ViT on ImageNet, three updates an epoch of twelve images. */
export const tinySettings = (data: string): string[] => [
  ...['data.dataset=mnist', `data.path=${data}`, 'data.size=8', 'data.workers=0', 'engine.kind=eager'],
  ...['train.batch=4', 'train.accumulate=1', 'train.epochs=1', 'train.warmupEpochs=0', 'train.checkpointEvery=100', 'train.logEvery=1'],
  ...['method.patchSize=2', 'method.width=8', 'method.depth=1', 'method.heads=2', 'method.decoderWidth=8', 'method.decoderDepth=1', 'method.decoderHeads=2'],
];

/** A tiny run of MAE with PR-MIM (4 tokens visible, 4 retained, 8 thrown), nothing of which is on the disk but its data. */
export const tinyRun = (data: string, ...set: string[]): Promise<RunContext> => loadRunContext('mae/vit-b16-in1k-pr50', [...tinySettings(data), ...set]);
