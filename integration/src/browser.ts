import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Where distributions put Chromium. */
const USUAL = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** The browser that tests drive: that of MIMLAB_CHROMIUM, else one in a usual place; undefined where there is none. */
export function findChromium(): string | undefined {
  const named = process.env['MIMLAB_CHROMIUM'];
  return named ?? USUAL.find((path) => existsSync(path));
}

/** Starts it without a window. Root may use it only without its sandbox. */
export const openBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
