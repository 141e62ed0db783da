/** Text that is HTML already. Made by `html` alone, so that nothing reaches a page unescaped. */
export interface Markup {
  readonly markup: string;
}

type Piece = Markup | string | number | undefined | readonly Markup[];

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and for attribute values in either kind of quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);

const pieceText = (piece: Piece): string => {
  if (piece === undefined) return '';
  if (typeof piece === 'string') return escaped(piece);
  if (typeof piece === 'number') return String(piece);
  return 'markup' in piece ? piece.markup : piece.map(({ markup }) => markup).join('');
};

/** A template whose values are escaped, unless they are markup themselves. `undefined` leaves nothing. */
export const html = (strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup => ({
  markup: strings.reduce((text, string, index) => text + (index === 0 ? '' : pieceText(pieces[index - 1])) + string, ''),
});

/** Data for the page's script. A text in it cannot end the element. */
export const jsonScript = (data: unknown): Markup => ({
  markup: `<script type="application/json">${JSON.stringify(data).replace(/</g, '\\u003c')}</script>`,
});

/** A style sheet or script that ships with the package. */
export function inlined(element: 'style' | 'script', text: string): Markup {
  if (text.includes(`</${element}`)) throw new Error(`a ${element} to be inlined holds its own end`);
  return { markup: `<${element}>\n${text}</${element}>` };
}
