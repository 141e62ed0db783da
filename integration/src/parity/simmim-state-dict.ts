import { composeRun, createObjective, type Objective } from '@mimlab/core';
import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';

/** Shapes by official name, buffers left out. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * The run that a list of official parameters describes. Windows and image sides of Swin leave no trace but in buffers,
 * so these may be among the shapes; heads of ViT come from the table.
 */
export function runOfShapes(shapes: Shapes, imageSide: number, overrides: Readonly<Record<string, unknown>> = {}): Objective {
  const axis = (name: string, at: number): number => {
    const side = shapes.get(name)?.[at];
    if (side === undefined) throw new Error(`the list has no '${name}' with axis ${at}`);
    return side;
  };
  const names = [...shapes.keys()];
  const highest = (pattern: RegExp): number => Math.max(-1, ...names.flatMap((name) => Number(pattern.exec(name)?.[1] ?? -1)));
  const width = axis('encoder.patch_embed.proj.weight', 0);
  const patchSize = axis('encoder.patch_embed.proj.weight', 2);
  const stages = 1 + highest(/^encoder\.layers\.(\d+)\./);
  const of = (stage: number): string => `encoder.layers.${stage}.blocks.0`;
  const table = 'attn.relative_position_bias_table';
  const list = <T>(make: (stage: number) => T): T[] => Array.from({ length: stages }, (_, stage) => make(stage));
  const config =
    stages === 0
      ? {
          arch: 'vit',
          depth: 1 + highest(/^encoder\.blocks\.(\d+)\./),
          heads: axis('encoder.rel_pos_bias.relative_position_bias_table', 1),
          mlpRatio: axis('encoder.blocks.0.mlp.fc1.weight', 0) / width,
          layerScale: shapes.has('encoder.blocks.0.gamma_1') ? 0.1 : null,
        }
      : {
          arch: 'swin',
          depth: list((stage) => 1 + highest(new RegExp(`^encoder\\.layers\\.${stage}\\.blocks\\.(\\d+)\\.`))),
          heads: list((stage) => axis(`${of(stage)}.${table}`, 1)),
          window: Math.max(...list((stage) => (Math.sqrt(axis(`${of(stage)}.${table}`, 0)) + 1) / 2)),
          mlpRatio: axis(`${of(0)}.mlp.fc1.weight`, 0) / width,
        };
  const image = { height: imageSide, width: imageSide, channels: axis('encoder.patch_embed.proj.weight', 1) };
  const parsed = SimMimConfig.parse({ patchSize, width, maskUnit: patchSize, ...config, ...overrides });
  return createObjective(composeRun({ image, method: { plugin: simmim, config: parsed } }));
}
