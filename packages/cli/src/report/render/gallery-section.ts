import { countsOf, type TokenPlan } from '@mimlab/core';
import { numberText } from '../number-text.js';
import type { Gallery, GalleryFrame, Shown } from '../pictures.js';
import type { RunLabel } from '../report-run.js';
import { html, jsonScript, type Markup } from './html.js';
import { missing, runMark } from './run-mark.js';
import { coveredCells, roleOverlay, rolePaths, ROLES } from './token-map.js';

export interface GalleryOfRun extends RunLabel {
  readonly gallery: Shown<Gallery>;
  /** Epochs that an update makes, for captions; undefined if the log does not tell. */
  readonly epochsAnUpdate: number | undefined;
}

/** Reconstructions of the same test images by every kept checkpoint of every run. */
export function gallerySection(runs: readonly GalleryOfRun[]): Markup {
  const drawn = runs.filter(({ gallery }) => 'shown' in gallery);
  const moving = drawn.filter(({ gallery }) => 'shown' in gallery && gallery.shown.frames.length > 1);
  const controls = html`<form class="controls" aria-label="What is drawn over the pictures">
<fieldset><legend>Show over the pictures</legend>${ROLES.map((role) => html`<label><input type="checkbox" name="role" value="${role}"> <span class="swatch ${role}"></span>${role} tokens</label>`)}</fieldset>
${moving.length > 1 ? html`<fieldset><legend>Training time</legend><label><input type="checkbox" name="together" checked=""> move all runs together</label></fieldset>` : undefined}
</form>`;
  return html`<section id="reconstructions" aria-labelledby="reconstructions-title"><h2 id="reconstructions-title">Reconstructions</h2>
<p>Test images, masked by each run's own sampler with a fixed seed. Visible patches are pasted in.</p>
${drawn.length > 0 ? controls : undefined}
${runs.map(runGallery)}</section>`;
}

function runGallery(run: GalleryOfRun, index: number): Markup {
  const { gallery, letter } = run;
  const heading = html`<h3>${runMark(index, run)}</h3>`;
  if ('missing' in gallery) return html`<div class="gallery">${heading}${missing(gallery.missing)}</div>`;
  const { frames, originals, caption, image } = gallery.shown;
  const last = frames.length - 1;
  const newest = frames[last] as GalleryFrame;
  const label = (update: number): string => `update ${numberText(update)}${run.epochsAnUpdate === undefined ? '' : `, epoch ${numberText(update * run.epochsAnUpdate, 3)}`}`;
  const slider =
    frames.length === 1
      ? html`<p>One checkpoint is kept: ${label(newest.update)}.</p>`
      : html`<div class="time"><label for="time-${index}">Checkpoint</label> <input type="range" id="time-${index}" min="0" max="${last}" step="1" value="${last}" aria-valuetext="${label(newest.update)}"> <output for="time-${index}">${label(newest.update)}</output></div>`;
  const { visible, retained, thrown } = countsOf(newest.plans[0] as TokenPlan);
  return html`<div class="gallery" data-letter="${letter}">${heading}${slider}
<div class="scroll" role="region" tabindex="0" aria-label="Pictures of run ${letter}"><table class="tiles${image.width <= 96 ? ' small' : ''}" style="--count:${originals.length}"><caption>${[`${visible} visible, ${retained} retained, ${thrown} thrown tokens`, ...caption].join('; ')}.</caption>
<thead class="unseen"><tr><th scope="col">Picture</th>${originals.map((_, at) => html`<th scope="col">Image ${at + 1}</th>`)}</tr></thead><tbody>
${tileRow('original', originals, (at) => `Image ${at + 1}`, (at) => roleOverlay(newest.plans[at] as TokenPlan))}
${tileRow('seen by the encoder', originals, (at) => `Image ${at + 1}, visible patches only`, (at) => coveredCells(newest.plans[at] as TokenPlan))}
${tileRow('reconstruction', newest.pictures, (at) => `Image ${at + 1}, reconstructed by run ${letter}`, (at) => roleOverlay(newest.plans[at] as TokenPlan))}
</tbody></table></div>
${frames.length > 1 ? jsonScript(framesData(frames, label)) : undefined}</div>`;
}

/** What the slider exchanges. Plans are listed only where they change, as under samplers that follow attention. */
function framesData(frames: readonly GalleryFrame[], label: (update: number) => string): unknown {
  const paths = frames.map(({ plans }) => plans.map(rolePaths));
  const change = paths.some((each) => JSON.stringify(each) !== JSON.stringify(paths[0]));
  return frames.map(({ update, pictures }, at) => ({ update, label: label(update), pictures, ...(change ? { roles: paths[at] } : {}) }));
}

const tileRow = (title: string, pictures: readonly string[], alt: (at: number) => string, overlay: (at: number) => Markup): Markup =>
  html`<tr data-row="${title}"><th scope="row">${title}</th>${pictures.map((source, at) => html`<td><div class="tile"><img src="${source}" alt="${alt(at)}">${overlay(at)}</div></td>`)}</tr>`;
