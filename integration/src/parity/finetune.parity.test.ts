import { toFileLayout, type HostTensor } from '@mimlab/core';
import type { Engine, StepOutcome } from '@mimlab/engine';
import { softCrossEntropy, softTargets, tunedParams, tuningUpdates } from '@mimlab/evaluate';
import { createSchedule } from '@mimlab/train';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { classifierRun, expectGradients, runGradients, type ClassifierRun } from './classifier-case.js';
import { expectClose, expectNear } from './closeness.js';
import { engines } from './engines.js';
import { describeGolden, loadGolden, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { defineParams, toMemory } from './mae-case.js';

const Finetune = z.object({
  config: z.object({ img_size: z.int(), patch_size: z.int(), embed_dim: z.int(), depth: z.int(), num_heads: z.int(), mlp_ratio: z.number(), num_classes: z.int(), global_pool: z.boolean(), in_chans: z.int().default(3) }),
  mix: z.object({ lam: z.number(), smoothing: z.number() }),
  losses: z.object({ soft: z.number(), label_smoothing: z.number(), ce: z.number() }),
  optimizer: z.object({
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    base_lr_at_step: z.number(),
    schedule: z.object({ lr: z.number(), min_lr: z.number(), warmup_epochs: z.number(), epochs: z.number(), at_epoch: z.number(), weight_decay: z.number(), layer_decay: z.number() }),
    params: z.record(z.string(), z.object({ layer_id: z.int(), lr_scale: z.number(), lr: z.number(), weight_decay: z.number() })),
  }),
  partial_finetune_trainable: z.record(z.string(), z.array(z.string())),
  suggested_tolerance: z.object({ outputs_rel_to_max: z.number(), grads_rel_to_max: z.number() }),
});
type Finetune = z.infer<typeof Finetune>;

const runOf = ({ config }: Finetune): ClassifierRun =>
  classifierRun({
    architecture: { kind: 'vit', patch: { height: config.patch_size, width: config.patch_size }, width: config.embed_dim, depth: config.depth, heads: config.num_heads, mlpRatio: config.mlp_ratio },
    image: { height: config.img_size, width: config.img_size, channels: config.in_chans },
    classes: config.num_classes,
    pool: config.global_pool ? 'mean' : 'cls',
  });

const ruleOf = ({ optimizer: { betas, eps, schedule } }: Finetune) => ({ weightDecay: schedule.weight_decay, layerDecay: schedule.layer_decay, betas, eps });

describeGolden('finetune', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', (which) => {
    let golden: Golden;
    let json: Finetune;
    let run: ClassifierRun;
    beforeAll(async () => {
      golden = await loadGolden(which);
      json = Finetune.parse(golden.json);
      run = runOf(json);
    });
    const labels = (): Int32Array => tensorOf(golden, 'input.labels').data as Int32Array;

    it('has soft targets of smoothed labels, blended with those of the batch reversed', () => {
      const { mix, config } = json;
      expectClose('soft targets', softTargets(labels(), config.num_classes, mix.smoothing, mix.lam), tensorOf(golden, 'input.soft_targets'), 1e-6);
    });

    it('has layer, rate and weight decay of every parameter, and the rate of the schedule', () => {
      const { optimizer } = json;
      const { lr, min_lr, warmup_epochs, epochs, at_epoch } = optimizer.schedule;
      const schedule = createSchedule({ kind: 'mae', lr, minLr: min_lr, warmupEpochs: warmup_epochs, epochs, iterationsPerEpoch: 1 });
      expect(schedule(at_epoch, 0) / optimizer.base_lr_at_step).toBeCloseTo(1, 12);
      const updates = tuningUpdates(run.classifier, run.specs, ruleOf(json));
      expect(Object.keys(updates).sort()).toEqual(Object.keys(optimizer.params).sort());
      for (const [name, { layer_id, lr: rate, weight_decay }] of Object.entries(optimizer.params)) {
        expect(run.classifier.trunk.layerOf(name), name).toBe(layer_id);
        expect(((updates[name]?.lrScale ?? NaN) * optimizer.base_lr_at_step) / rate, name).toBeCloseTo(1, 9);
        expect(updates[name]?.decay, name).toBe(weight_decay);
      }
    });

    it('trains the same parameters when only the last blocks are tuned', () => {
      for (const [blocks, names] of Object.entries(json.partial_finetune_trainable)) {
        const specs = tunedParams(run.classifier, Number(blocks));
        expect(Object.keys(specs).filter((name) => specs[name]?.trainable).sort(), `last ${blocks} blocks`).toEqual([...names].sort());
      }
    });

    describe.each(engines())('on $name', ({ create }) => {
      let engine: Engine;
      let outcome: StepOutcome;
      beforeAll(async () => {
        engine = await create();
        await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), run.specs);
        outcome = await runGradients(engine, run, golden, tensorOf(golden, 'input.soft_targets'));
      });
      afterAll(() => {
        engine.dispose();
      });

      it('gives features and scores', () => {
        for (const name of ['features', 'logits']) {
          expectClose(name, outcome.outputs[name] as HostTensor, tensorOf(golden, `output.${name}`), json.suggested_tolerance.outputs_rel_to_max);
        }
      });

      it('gives the losses of soft targets, smoothed labels and plain labels', async () => {
        const { config, mix, losses } = json;
        expect((outcome.metrics['loss'] as number) / losses.soft).toBeCloseTo(1, 5);
        const step = engine.compile({ name: 'loss', state: [], compute: (_, { logits, targets }) => ({ loss: softCrossEntropy(logits as Tensor2D, targets as Tensor2D) }) });
        for (const [smoothing, expected] of [[mix.smoothing, losses.label_smoothing], [0, losses.ce]] as const) {
          const { metrics } = await step.run({ logits: tensorOf(golden, 'output.logits'), targets: softTargets(labels(), config.num_classes, smoothing) });
          expect((metrics['loss'] as number) / expected).toBeCloseTo(1, 5);
        }
      });

      it('gives every gradient', () => {
        expectGradients(run, outcome.outputs, golden, json.suggested_tolerance.grads_rel_to_max);
      });

      it('makes one AdamW step with rates that shrink layer by layer', async () => {
        const { classifier, specs } = run;
        const names = Object.keys(specs);
        const step = engine.compile({
          name: 'adamw',
          state: names,
          optimize: { updates: tuningUpdates(classifier, specs, ruleOf(json)) },
          compute: (state, inputs) => ({
            loss: names.map((name) => tf.sum(tf.mul(state[name] as Tensor, inputs[name] as Tensor))).reduce((sum, term) => tf.add(sum, term)) as tf.Scalar,
          }),
        });
        await step.run(toMemory(withoutPrefix(golden.tensors, 'grad.'), specs), { lr: json.optimizer.base_lr_at_step, update: 1 });
        const after = await engine.read(names);
        for (const name of names) {
          expectNear(`adamw.${name}`, toFileLayout((specs[name] as (typeof specs)[string]).layout, after[name] as HostTensor), tensorOf(golden, `adamw.${name}`), 2e-6);
        }
      });
    });
  });
});
