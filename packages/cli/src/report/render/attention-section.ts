import { numberText, percentText } from '../number-text.js';
import type { AttentionGallery, Shown } from '../pictures.js';
import type { RunLabel } from '../report-run.js';
import { html, type Markup } from './html.js';
import { missing, runMark } from './run-mark.js';

export interface AttentionOfRun extends RunLabel {
  readonly attention: Shown<AttentionGallery>;
}

/** Where the class token looks, by the newest checkpoint of every run. */
export function attentionSection(runs: readonly AttentionOfRun[]): Markup {
  return html`<section id="attention" aria-labelledby="attention-title"><h2 id="attention-title">Attention of the class token</h2>
<p>Softmax attention to each token of whole images, in the last block. Every map goes from 0 (dark) to its own largest value (light).</p>
${runs.map(runMaps)}</section>`;
}

function runMaps(run: AttentionOfRun, index: number): Markup {
  const { attention, letter } = run;
  const heading = html`<h3>${runMark(index, run)}</h3>`;
  if ('missing' in attention) return html`<div class="gallery">${heading}${missing(attention.missing)}</div>`;
  const { originals, maps, image, update } = attention.shown;
  const heads = maps[0]?.heads.length ?? 0;
  const row = (title: string, pictures: readonly string[], alt: (at: number) => string): Markup =>
    html`<tr><th scope="row">${title}</th>${pictures.map((source, at) => html`<td><div class="tile"><img src="${source}" alt="${alt(at)}"></div></td>`)}</tr>`;
  const peak = (at: number): string => {
    const found = maps[at]?.peak;
    return found === undefined ? '' : `most (${percentText(found.share)} %) at row ${found.row}, column ${found.column}`;
  };
  return html`<div class="gallery">${heading}
<div class="scroll" role="region" tabindex="0" aria-label="Attention of run ${letter}"><table class="tiles${image.width <= 96 ? ' small' : ''}" style="--count:${originals.length}"><caption>Update ${numberText(update)}.</caption>
<thead class="unseen"><tr><th scope="col">Picture</th>${originals.map((_, at) => html`<th scope="col">Image ${at + 1}</th>`)}</tr></thead><tbody>
${row('image', originals, (at) => `Image ${at + 1}`)}
${row('mean of heads', maps.map(({ mean }) => mean), (at) => `Attention to image ${at + 1}: ${peak(at)}`)}
${Array.from({ length: heads }, (_, head) => row(`head ${head + 1}`, maps.map((map) => map.heads[head] as string), (at) => `Attention of head ${head + 1} to image ${at + 1}`))}
</tbody></table></div></div>`;
}
