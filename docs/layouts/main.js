// Draws the prototype that the address names: `?layout=rail|columns|runs&state=empty|running|done|error&lang=en|ko`.

import { h } from '../../www/dom.js';
import { useLanguage } from '../../www/i18n.js';
import { columnsLayout, railLayout, runsLayout } from './arrangements.js';
import { LAYOUTS, STATES, drawFollowers, forgetFollowers, moment, page, show } from './moment.js';
import { MAX_STEPS } from './recorded.js';

const ARRANGEMENTS = { rail: railLayout, columns: columnsLayout, runs: runsLayout };
const STEP_MS = 700;

/** @param {'layout'|'state'|'language'} name @param {readonly string[]} values */
const choice = (name, values) =>
  h(
    'div',
    { class: 'switch-group', role: 'group', 'aria-label': name },
    ...values.map((value) =>
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': String(moment[name] === value),
          on: { click: () => change({ [name]: value, step: 1, drawer: '' }) },
        },
        value,
      ),
    ),
  );

/** @param {Partial<typeof moment>} wanted */
async function change(wanted) {
  const query = new URLSearchParams(location.search);
  Object.assign(moment, wanted);
  query.set('layout', moment.layout);
  query.set('state', moment.state);
  query.set('lang', moment.language);
  history.replaceState(null, '', `?${query}`);
  await useLanguage(moment.language);
  page.redraw();
}

page.redraw = () => {
  forgetFollowers();
  const switches = h(
    'nav',
    { class: 'switch', hidden: moment.bare },
    choice('layout', LAYOUTS),
    choice('state', STATES),
    choice('language', ['en', 'ko']),
  );
  document.documentElement.dataset.state = moment.state;
  document.body.replaceChildren(switches, ARRANGEMENTS[moment.layout]());
};

setInterval(() => {
  if (moment.state !== 'running' || moment.frozen) return;
  if (moment.step === MAX_STEPS) return show({ state: 'done' });
  moment.step += 1;
  drawFollowers();
}, STEP_MS);

await useLanguage(moment.language);
page.redraw();
