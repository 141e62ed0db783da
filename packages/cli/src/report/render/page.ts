import { html, inlined, type Markup } from './html.js';

export interface Page {
  readonly title: string;
  /** Under the title. */
  readonly lead: Markup;
  readonly sections: readonly { readonly id: string; readonly name: string; readonly body: Markup }[];
  /** Text of the style sheet and of the script. */
  readonly style: string;
  readonly script: string;
}

/** Nothing may be loaded from elsewhere, whatever a run's names and texts hold. */
const POLICY = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;

/** The whole document, which needs no other file and no network. */
export function page({ title, lead, sections, style, script }: Page): string {
  return `<!doctype html>
${
  html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
${inlined('style', style)}
</head>
<body>
<a class="skip" href="#overview">Skip to the results</a>
<header class="top">
<div><h1>${title}</h1>${lead}</div>
<div class="page-controls"><label for="theme">Colours</label> <select id="theme"><option value="">as the system</option><option value="light">light</option><option value="dark">dark</option></select></div>
</header>
<nav aria-label="Sections"><ul>${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${PATTERNS}
${sections.map(({ body }) => body)}
</main>
${inlined('script', script)}
</body>
</html>`.markup
}
`;
}

/** Hatchings of token roles: told apart by direction as well as by colour. */
const PATTERNS = html`<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>
<pattern id="hatch-retained" width=".4" height=".4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0H.4V.4H0z" class="retained-fill"/><path d="M0 0V.4" class="retained-line"/></pattern>
<pattern id="hatch-thrown" width=".4" height=".4" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><path d="M0 0H.4V.4H0z" class="thrown-fill"/><path d="M0 0V.4" class="thrown-line"/></pattern>
</defs></svg>`;
