/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from './browser.js';
import { mimlab, temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';
import { contrastsOf } from './page-contrast.js';

const chromium = findChromium();
if (chromium === undefined) process.stderr.write('No Chromium: reports are not tested in a browser. Install it (Debian: apt-get install chromium), or name one in MIMLAB_CHROMIUM.\n');

describe.skipIf(chromium === undefined)('a report in a browser', () => {
  let folder = '';
  let browser: Browser;
  let page: Page;
  let problems: string[] = [];
  let requests: string[] = [];
  const file = (): string => join(folder, 'report.html');

  beforeAll(async () => {
    folder = await temporaryFolder();
    const config = join(folder, 'tiny.yaml');
    await writeFile(config, tinyConfig(await writeTinyMnist(join(folder, 'data'))));
    // A name that would be markup if it were not escaped. B throws nothing, and nobody has evaluated it.
    const [first, second] = [join(folder, 'a & <b>bold'), join(folder, 'plain')];
    const evaluation = ['evaluate', first, '--protocol', 'knn', '--set', 'k=3', '--no-leak-check'];
    for (const args of [['pretrain', config, '--output', first], ['pretrain', config, '--output', second, '--set', 'wrap=[]'], evaluation, ['report', first, second, '--images', '3', '--output', file()]]) {
      const { status, stderr } = await mimlab(args);
      expect(status, stderr).toBe(0);
    }
    browser = await openBrowser(chromium as string);
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (options: Parameters<Browser['newPage']>[0] = {}): Promise<void> => {
    page = await browser.newPage({ viewport: { width: 1400, height: 900 }, colorScheme: 'light', ...options });
    page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file()).href);
  };

  beforeEach(() => {
    problems = [];
    requests = [];
  });

  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(file()).href]);
  });

  it('shows names as they are', async () => {
    await open();
    expect(await page.locator('#overview thead .run-name').first().textContent()).toBe('a & <b>bold');
    expect(await page.locator('h1').textContent()).toBe('Report on 2 runs');
  });

  it('moves through training time with the slider, all runs together or each alone', async () => {
    await open();
    const [first, second] = [page.locator('#time-0'), page.locator('#time-1')];
    const picture = page.locator('.gallery[data-letter="A"] tr[data-row="reconstruction"] img').first();
    const newest = await picture.getAttribute('src');
    expect(await page.locator('output').allTextContents()).toEqual(['update 8, epoch 2', 'update 8, epoch 2']);

    await first.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator('output').allTextContents()).toEqual(['update 6, epoch 1.50', 'update 6, epoch 1.50']);
    expect(await first.getAttribute('aria-valuetext')).toBe('update 6, epoch 1.50');
    expect(await picture.getAttribute('src')).not.toBe(newest);

    await page.getByLabel('move all runs together').uncheck();
    await second.focus();
    await page.keyboard.press('Home');
    expect(await page.locator('output').allTextContents()).toEqual(['update 6, epoch 1.50', 'update 4, epoch 1']);
    await first.focus();
    await page.keyboard.press('End');
    expect(await picture.getAttribute('src')).toBe(newest);
  });

  it('lays the roles of tokens over the pictures, each by its own switch', async () => {
    await open();
    const shown = async (role: string): Promise<number> => (await page.locator(`#reconstructions .role.${role}`).evaluateAll((paths) => paths.filter((path) => getComputedStyle(path).display !== 'none'))).length;
    expect(await shown('thrown')).toBe(0);
    await page.getByRole('checkbox', { name: 'thrown tokens' }).check();
    // Over the original and the reconstruction of three images, for two runs.
    expect([await shown('visible'), await shown('retained'), await shown('thrown')]).toEqual([0, 0, 12]);
    await page.getByRole('checkbox', { name: 'visible tokens' }).check();
    await page.getByRole('checkbox', { name: 'thrown tokens' }).uncheck();
    expect([await shown('visible'), await shown('thrown')]).toEqual([12, 0]);
  });

  it('shows and hides lines of runs and of tokens, on either axis', async () => {
    await open();
    const lines = (chart: string): Promise<string[]> => page.locator(`#chart-${chart} .series`).evaluateAll((paths) => paths.filter((path) => path.getBoundingClientRect().width > 0).map((path) => `${path.getAttribute('data-run')}${path.getAttribute('data-part')} ${path.closest('svg')?.classList.value}`));
    expect(await lines('tokens')).toEqual(['0retained linear', '0thrown linear', '1retained linear']);
    await page.locator('input[name="part"][value="retained"]').uncheck();
    expect(await lines('tokens')).toEqual(['0thrown linear']);
    await page.locator('input[name="part"][value="retained"]').check();
    await page.locator('input[name="run"][value="0"]').uncheck();
    await page.getByLabel('logarithmic losses and norms').check();
    expect([await lines('tokens'), await lines('loss'), await lines('memory')]).toEqual([['1retained log'], ['1 log'], ['1 linear']]);
    expect(await page.locator('#chart-loss .readout .value:visible').allTextContents()).toEqual([expect.stringMatching(/^B /)]);
  });

  it('reads values at the pointer and with arrow keys', async () => {
    await open();
    const readout = page.locator('#chart-loss .readout');
    const rows = (await readFile(join(folder, 'plain', 'metrics.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { step: number; loss: number });
    const plot = page.locator('#chart-loss .plot');
    await plot.scrollIntoViewIfNeeded();
    await plot.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    expect(await readout.textContent()).toContain('update 2');
    expect(await readout.textContent()).toContain(`B ${(rows[1] as { loss: number }).loss.toPrecision(4)}`);
    const box = (await plot.boundingBox()) as { x: number; y: number; width: number; height: number };
    await page.mouse.move(box.x + box.width * 0.94, box.y + box.height / 2);
    expect(await readout.textContent()).toContain('update 8');
    await page.keyboard.press('Escape');
    expect(await readout.textContent()).toContain('last update');
  });

  it('lets the keyboard reach every control, and shows where it is', async () => {
    await open();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    const wanted = await page.locator('a, input, select, summary, [tabindex="0"]').count();
    const reached = new Set<string>();
    for (let presses = 0; presses < wanted + 5; presses++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const element = document.activeElement as Element;
        const all = [...document.querySelectorAll('*')];
        return { place: all.indexOf(element), name: element.outerHTML.slice(0, 60), outline: getComputedStyle(element).outlineStyle, body: element === document.body };
      });
      if (at.body) continue;
      expect(at.outline, at.name).not.toBe('none');
      reached.add(String(at.place));
    }
    expect(reached.size).toBe(wanted);
  });

  it('begins with a link that skips to the results', async () => {
    await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the results');
    await page.keyboard.press('Enter');
    expect(page.url()).toMatch(/#overview$/);
  });

  it.each(['light', 'dark'] as const)('can be read in %s colours', async (colorScheme) => {
    await open({ colorScheme });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    const texts = ['h1', 'h2', 'main p', 'caption', 'td', 'th', 'td small', 'a', 'summary', '.mark', '.readout b', '.readout .at', '.made', 'legend', 'pre', '.heat td', 'figcaption', '.plot text', 'select', 'output'];
    const contrasts = await contrastsOf(page, texts);
    expect(new Set(contrasts.map(({ selector }) => selector))).toEqual(new Set(texts));
    expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
  });

  it('follows the chosen colours against those of the system', async () => {
    await open({ colorScheme: 'dark' });
    const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.getByLabel('Colours').selectOption('light');
    expect(await ground()).toBe('rgb(255, 255, 255)');
    await page.getByLabel('Colours').selectOption('dark');
    expect(await ground()).toBe(dark);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await ground()).toBe(dark);
    await page.getByLabel('Colours').selectOption('');
    expect(await ground()).toBe('rgb(255, 255, 255)');
  });

  it.each([380, 1400])('is never wider than a screen of %i pixels', async (width) => {
    await open({ viewport: { width, height: 800 } });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });

  it('prints in light colours, without controls, with the configuration, on whole pages', async () => {
    await open({ colorScheme: 'dark', viewport: { width: 680, height: 960 } });
    const pdf = await page.pdf({ format: 'A4', printBackground: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
    expect(await page.locator('nav, select, fieldset, input, .skip').evaluateAll((all) => all.filter((element) => element.getBoundingClientRect().height > 0).length)).toBe(0);
    expect(await page.locator('#provenance pre').first().isVisible()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(680);
    expect((await contrastsOf(page, ['p', 'td', 'caption', '.mark'])).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
    expect(await page.locator('#provenance details[open]').count()).toBe(0);
  });

  it('has captions and scopes in every table, names for every control, and an alternative for every picture', async () => {
    await open();
    const faults = await page.evaluate(() => {
      const found: string[] = [];
      for (const table of document.querySelectorAll('table')) {
        if ((table.caption?.textContent ?? '').trim() === '') found.push('a table without a caption');
        for (const head of table.querySelectorAll('th')) if (!head.hasAttribute('scope')) found.push(`a head without a scope: ${head.textContent}`);
      }
      for (const control of document.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select')) if ((control.labels?.length ?? 0) === 0) found.push(`a control without a label: ${control.outerHTML}`);
      for (const image of document.querySelectorAll('img')) if (image.alt === '') found.push('a picture without an alternative');
      for (const drawing of document.querySelectorAll('svg')) if (!drawing.hasAttribute('aria-label') && drawing.getAttribute('aria-hidden') !== 'true') found.push('a drawing without words');
      const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
      for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`an id that is there twice: ${id}`);
      for (const link of document.querySelectorAll<HTMLAnchorElement>('a')) if (document.querySelector(link.hash) === null) found.push(`a link to nowhere: ${link.hash}`);
      return found;
    });
    expect(faults).toEqual([]);
  });

  it('says in a sentence what is not there', async () => {
    await open();
    expect(await page.locator('#evaluation .missing').allTextContents()).toEqual(['Not evaluated this way: B']);
    expect(await page.locator('#sampler .missing').allTextContents()).toEqual(['Nothing is thrown: B']);
  });
});
