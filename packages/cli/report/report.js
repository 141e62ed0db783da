/* global document, window */
// Controls of a report. Without this script the page shows the newest state of everything.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const dataOf = (root) => {
  const element = root.querySelector(':scope > script[type="application/json"]');
  return element === null ? undefined : JSON.parse(element.textContent);
};

// Colours: as the system, unless chosen.
const theme = document.getElementById('theme');
theme.addEventListener('change', () => {
  if (theme.value === '') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

// Charts: which lines are shown, on which axis.
const training = document.querySelector('#training .controls');
const isOff = (name, value) => value !== '' && training?.querySelector(`input[name="${name}"][value="${value}"]`)?.checked === false;
const isShown = ({ run, part }) => !isOff('run', String(run)) && !isOff('part', part);

function showLines() {
  for (const line of all('#training [data-run]')) line.toggleAttribute('hidden', !isShown(line.dataset));
  const log = training.querySelector('input[name="log"]').checked;
  for (const plot of all('#training .plot')) {
    const drawing = plot.querySelector('svg.log');
    if (drawing === null) continue;
    drawing.toggleAttribute('hidden', !log);
    plot.querySelector('svg.linear').toggleAttribute('hidden', log);
  }
}
training?.addEventListener('change', showLines);

// Charts: a cursor that reads values.
function withCursor(figure) {
  const curves = dataOf(figure);
  const plot = figure.querySelector('.plot');
  const readout = figure.querySelector('.readout');
  const atRest = readout.innerHTML;
  const longest = curves.reduce((most, curve) => (curve.px.length > most.px.length ? curve : most));
  let index;

  const nearest = (places, pixel) => places.reduce((best, place, at) => (Math.abs(place - pixel) < Math.abs(places[best] - pixel) ? at : best), 0);
  const read = (at) => {
    index = Math.max(0, Math.min(longest.px.length - 1, at));
    const pixel = longest.px[index];
    for (const cursor of all('.cursor', plot)) {
      cursor.setAttribute('transform', `translate(${pixel} 0)`);
      cursor.removeAttribute('hidden');
    }
    readout.replaceChildren();
    const add = (text, name) => {
      const span = document.createElement('span');
      span.className = name;
      span.textContent = text;
      readout.append(span, ' ');
      return span;
    };
    add(`${plot.dataset.x} ${longest.x[index]}`, 'at');
    for (const curve of curves) {
      if (!isShown(curve) || pixel < curve.px[0] - 1 || pixel > curve.px.at(-1) + 1) continue;
      const value = add('', `value run-${curve.run % 6}`);
      value.dataset.run = curve.run;
      value.dataset.part = curve.part;
      const label = document.createElement('b');
      label.textContent = curve.label;
      value.append(label, ` ${curve.y[nearest(curve.px, pixel)]}`);
    }
  };
  const rest = () => {
    index = undefined;
    for (const cursor of all('.cursor', plot)) cursor.setAttribute('hidden', '');
    readout.innerHTML = atRest;
    showLines();
  };

  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    read(nearest(longest.px, ((event.clientX - box.left) / box.width) * Number(plot.dataset.width)));
  });
  plot.addEventListener('pointerleave', rest);
  plot.addEventListener('blur', rest);
  plot.addEventListener('keydown', (event) => {
    const last = longest.px.length - 1;
    const stride = Math.max(1, Math.round(longest.px.length / 40));
    const steps = { ArrowLeft: (index ?? last + stride) - stride, ArrowRight: (index ?? -stride) + stride, Home: 0, End: last };
    if (event.key === 'Escape') rest();
    if (!(event.key in steps)) return;
    event.preventDefault();
    read(steps[event.key]);
  });
}
for (const figure of all('figure.chart')) withCursor(figure);

// Reconstructions: training time, and the roles of tokens.
const gallery = document.querySelector('#reconstructions .controls');
const movers = all('#reconstructions .gallery').flatMap((block) => {
  const frames = dataOf(block);
  const slider = block.querySelector('input[type="range"]');
  if (frames === undefined || slider === null) return [];
  const rows = Object.fromEntries(all('tr[data-row]', block).map((row) => [row.dataset.row, all('.tile', row)]));
  const show = (at) => {
    const { label, pictures, roles } = frames[at];
    slider.value = at;
    slider.setAttribute('aria-valuetext', label);
    block.querySelector('output').textContent = label;
    rows.reconstruction.forEach((tile, image) => {
      tile.querySelector('img').src = pictures[image];
    });
    roles?.forEach((paths, image) => {
      for (const row of ['original', 'reconstruction']) {
        for (const path of all('.role', rows[row][image])) path.setAttribute('d', paths[path.dataset.role]);
      }
      rows['seen by the encoder'][image].querySelector('.covered').setAttribute('d', paths.retained + paths.thrown);
    });
  };
  return [{ slider, frames, show }];
});
for (const mover of movers) {
  mover.slider.addEventListener('input', () => {
    const at = Number(mover.slider.value);
    mover.show(at);
    if (gallery?.querySelector('input[name="together"]')?.checked !== true) return;
    // Runs keep checkpoints of their own: the others go to the same share of what they have.
    const share = mover.frames[at].update / mover.frames.at(-1).update;
    for (const other of movers) {
      if (other === mover) continue;
      const wanted = share * other.frames.at(-1).update;
      const updates = other.frames.map(({ update }) => Math.abs(update - wanted));
      other.show(updates.indexOf(Math.min(...updates)));
    }
  });
}
gallery?.addEventListener('change', () => {
  for (const { value, checked } of all('input[name="role"]', gallery)) {
    for (const path of all(`#reconstructions .role.${value}`)) path.toggleAttribute('hidden', !checked);
  }
});

// Paper has no place to click: what belongs in print is unfolded.
window.addEventListener('beforeprint', () => {
  for (const details of all('details.in-print')) {
    details.dataset.wasOpen = String(details.open);
    details.open = true;
  }
});
window.addEventListener('afterprint', () => {
  for (const details of all('details.in-print')) details.open = details.dataset.wasOpen === 'true';
});

// A browser may bring back the state of controls on reload: what is shown follows them.
if (training !== null) showLines();
gallery?.dispatchEvent(new window.Event('change'));
for (const { slider, show } of movers) show(Number(slider.value));
