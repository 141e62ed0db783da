import type { TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import type { Gallery } from '../pictures.js';
import { attentionSection } from './attention-section.js';
import { gallerySection, type GalleryOfRun } from './gallery-section.js';

const plan: TokenPlan = { grid: { rows: 1, columns: 3 }, visible: Int32Array.of(0), retained: Int32Array.of(1), thrown: Int32Array.of(2) };
const image = (width: number) => ({ height: 4, width, channels: 1 });
const gallery = (updates: readonly number[], more: Partial<Gallery> = {}): { readonly shown: Gallery } => ({
  shown: { image: image(12), grid: plan.grid, originals: ['data:o1', 'data:o2'], frames: updates.map((update) => ({ update, pictures: [`data:${update}-1`, `data:${update}-2`], plans: [plan, plan] })), caption: ['pixels', 'as they are'], ...more },
});
const run = (letter: string, shown: GalleryOfRun['gallery'], epochsAnUpdate?: number): GalleryOfRun => ({ letter, name: `run ${letter}`, gallery: shown, epochsAnUpdate });
const words = (markup: string): string => markup.replace(/<script.*?<\/script>/gs, '').replace(/<[^>]+>/g, ' ').replace(/&nbsp;/g, ' ').replace(/\s+/g, ' ');

describe('reconstructions of runs', () => {
  it('name every picture for whoever cannot see it', () => {
    const { markup } = gallerySection([run('B', gallery([4]))]);
    expect([...markup.matchAll(/alt="([^"]*)"/g)].map(([, alt]) => alt)).toEqual(['Image 1', 'Image 2', 'Image 1, visible patches only', 'Image 2, visible patches only', 'Image 1, reconstructed by run B', 'Image 2, reconstructed by run B']);
  });

  it('say how many tokens play which part, and how pictures were made', () => {
    expect(words(gallerySection([run('A', gallery([4]))]).markup)).toContain('1 visible, 1 retained, 1 thrown tokens; pixels; as they are.');
  });

  it('tell updates alone where the log does not tell epochs', () => {
    expect(words(gallerySection([run('A', gallery([1200]))]).markup)).toContain('One checkpoint is kept: update 1,200.');
    expect(words(gallerySection([run('A', gallery([1200]), 0.001)]).markup)).toContain('update 1,200, epoch 1.20.');
  });

  it('are drawn larger or smaller by the size of their pixels', () => {
    expect(gallerySection([run('A', gallery([4], { image: image(96) }))]).markup).toContain('class="tiles small"');
    expect(gallerySection([run('A', gallery([4], { image: image(97) }))]).markup).toContain('class="tiles"');
  });

  it('may move together in time where several runs have several checkpoints', () => {
    const together = (...runs: GalleryOfRun[]): boolean => gallerySection(runs).markup.includes('name="together"');
    expect(together(run('A', gallery([4, 8])), run('B', gallery([2, 4])))).toBe(true);
    expect(together(run('A', gallery([4, 8])), run('B', gallery([4])))).toBe(false);
  });

  it('have sliders of their own', () => {
    const { markup } = gallerySection([run('A', gallery([4, 8])), run('B', gallery([2, 4, 6]))]);
    expect([...markup.matchAll(/id="(time-\d)" min="0" max="(\d)"/g)].map(([, id, last]) => [id, last])).toEqual([['time-0', '1'], ['time-1', '2']]);
  });

  it('list no plans for the slider where they stay the same', () => {
    expect(gallerySection([run('A', gallery([4, 8]))]).markup).not.toContain('"roles"');
  });

  it('have nothing to switch where no run could be drawn', () => {
    const { markup } = gallerySection([run('A', { missing: 'No data <here>.' })]);
    expect(markup).not.toContain('<form');
    expect(markup).toContain('No data &lt;here&gt;.');
  });
});

describe('attention of runs', () => {
  const map = (share: number, ...heads: string[]) => ({ mean: 'data:mean', heads, peak: { row: 1, column: 2, share } });

  it('has as many rows as there are heads, whatever their number', () => {
    const rows = (...heads: string[]): number => attentionSection([{ letter: 'A', name: 'a', attention: { shown: { image: image(12), update: 8, originals: ['data:o'], maps: [map(0.5, ...heads)] } } }]).markup.match(/<th scope="row">/g)?.length ?? 0;
    expect([rows(), rows('data:1'), rows('data:1', 'data:2', 'data:3')]).toEqual([2, 3, 5]);
  });

  it('names each picture with its run, image and peak', () => {
    const { markup } = attentionSection([{ letter: 'C', name: 'c', attention: { shown: { image: image(120), update: 1200, originals: ['data:o', 'data:p'], maps: [map(0.5, 'data:1'), map(0.125, 'data:2')] } } }]);
    expect([...markup.matchAll(/alt="([^"]*)"/g)].map(([, alt]) => alt)).toEqual(['Image 1', 'Image 2', 'Attention to image 1: most (50.0 %) at row 1, column 2', 'Attention to image 2: most (12.5 %) at row 1, column 2', 'Attention of head 1 to image 1', 'Attention of head 1 to image 2']);
    expect(markup).toContain('aria-label="Attention of run C"');
    expect(words(markup)).toContain('Update 1,200.');
  });
});
