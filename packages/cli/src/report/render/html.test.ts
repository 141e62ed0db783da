import { expect, it } from 'vitest';
import { html, inlined, jsonScript } from './html.js';

it('escapes texts in elements and attributes', () => {
  expect(html`<a title="${`"'`}">${'<b> & co'}</a>`.markup).toBe('<a title="&quot;&#39;">&lt;b&gt; &amp; co</a>');
});

it('takes markup, lists of it, numbers and nothing', () => {
  expect(html`<p>${html`<b>1</b>`}${[html`<i>2</i>`, html`<i>3</i>`]}${4}${undefined}</p>`.markup).toBe('<p><b>1</b><i>2</i><i>3</i>4</p>');
});

it('data for the script cannot end its element', () => {
  const { markup } = jsonScript({ name: '</script><script>alert(1)' });
  expect(markup.match(/<\/script>/g)).toHaveLength(1);
  expect(JSON.parse(markup.replace(/^<script[^>]*>|<\/script>$/g, ''))).toEqual({ name: '</script><script>alert(1)' });
});

it('a style sheet is taken in as it is, unless it would end its element', () => {
  expect(inlined('style', 'p > b { color: red }\n').markup).toBe('<style>\np > b { color: red }\n</style>');
  expect(() => inlined('script', 'x = "</script>"')).toThrow('holds its own end');
});
