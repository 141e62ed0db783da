/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Page } from 'playwright-core';

/** How well a text stands out from what is behind it (WCAG 2.2, success criterion 1.4.3: 4.5 and more). */
export interface Contrast {
  readonly selector: string;
  readonly text: string;
  readonly ratio: number;
}

/**
 * The contrast of the first few texts that each selector finds. Colours are read off a canvas, so any way of writing them is understood;
 * backgrounds that let something through are laid over each other.
 */
export const contrastsOf = (page: Page, selectors: readonly string[]): Promise<Contrast[]> =>
  page.evaluate((wanted) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
    const painted = (colours: readonly string[]): number[] => {
      context.clearRect(0, 0, 1, 1);
      for (const colour of colours) {
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
      }
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb: readonly number[]): number => {
      const [red = 0, green = 0, blue = 0] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element: Element | null): string[] => (element === null ? ['white'] : [...behind(element.parentElement), getComputedStyle(element).backgroundColor]);
    return wanted.flatMap((selector) =>
      [...document.querySelectorAll(selector)].slice(0, 40).map((element) => {
        const style = getComputedStyle(element);
        const ground = behind(element);
        const ink = luminance(painted([...ground, element instanceof SVGElement ? style.fill : style.color]));
        const paper = luminance(painted(ground));
        return { selector, text: (element.textContent ?? '').trim().slice(0, 30), ratio: (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) };
      }),
    );
  }, [...selectors]);
