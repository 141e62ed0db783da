import type { RunLabel } from '../report-run.js';
import { html, type Markup } from './html.js';
import { COLOURS } from './line-chart.js';

/** The letter of a run in its colour, as charts have it. */
export const letterMark = (index: number, letter: string): Markup => html`<span class="mark run-${index % COLOURS}">${letter}</span>`;

/** Letter and name. */
export const runMark = (index: number, { letter, name }: RunLabel): Markup => html`<span class="run">${letterMark(index, letter)}&nbsp;<span class="run-name">${name}</span></span>`;

/** A table too wide for a small screen scrolls by itself; the keyboard reaches it. */
export const scrolling = (label: string, table: Markup): Markup => html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">${table}</div>`;

/** A part of the page that cannot be shown, and why. */
export const missing = (sentence: string): Markup => html`<p class="missing">${sentence}</p>`;
