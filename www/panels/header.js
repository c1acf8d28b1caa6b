// The device in the top bar: its name, its self-test, the choice of another one, and why it cannot be used.

import { alert } from '../components/notices.js';
import { deviceOptions, deviceSentences, withDevice } from '../device-choice.js';
import { byId, h, replace } from '../dom.js';
import { duration, number, t } from '../i18n.js';

/**
 * Needs only the store, because it also shows why the worker cannot start. Returns the element in the details of the
 * self-test for the comparison with the CPU (comparison.js).
 * @param {import('../state.js').Store<import('../state.js').AppState>} store
 */
export function headerPanel(store) {
  const machine = byId('machine');
  const notices = byId('problems');
  const comparison = h('div', { class: 'comparison' });
  store.watch(['opened', 'openError', 'fatal', 'language'], (state) => {
    replace(machine, ...device(state, comparison), deviceChoice(store));
    replace(notices, fatalNotice(state), openNotice(state), selfTestNotice(state));
  });
  return { comparison };
}

/**
 * @param {import('../state.js').AppState} state
 * @param {HTMLElement} comparison
 */
function device({ opened, openError, fatal }, comparison) {
  if (!opened) {
    const waiting = !openError && !fatal;
    return [
      h(
        'span',
        { class: `chip${waiting ? ' waiting' : ''}`, 'data-testid': 'device-name' },
        t(waiting ? 'device.opening' : 'device.none'),
      ),
    ];
  }
  const { device: info, self_test } = opened;
  const rows = self_test.checks.map(({ name, deviation, tolerance, passed }) =>
    h(
      'tr',
      { class: passed ? '' : 'failed' },
      h('th', { scope: 'row', lang: 'en' }, name),
      h('td', {}, number(deviation)),
      h('td', {}, number(tolerance)),
      h('td', {}, t(passed ? 'self_test.ok' : 'self_test.differs')),
    ),
  );
  const heads = ['check', 'deviation', 'tolerance', 'result'].map((name) =>
    h('th', { scope: 'col' }, t(`self_test.${name}`)),
  );
  return [
    h(
      'span',
      {
        class: `chip device-${info.software ? 'software' : info.kind}`,
        'data-testid': 'device-name',
        lang: 'en',
        title: [info.vendor, info.architecture].filter(Boolean).join(' · '),
      },
      info.name,
    ),
    h(
      'details',
      {
        class: `chip self-test ${self_test.passed ? 'passed' : 'failed'}`,
        'data-testid': 'self-test',
        'data-passed': String(self_test.passed),
        on: { focusout: closeOnLeave, keydown: closeOnEscape },
      },
      h('summary', {}, t(self_test.passed ? 'self_test.passed' : 'self_test.failed')),
      h(
        'div',
        { class: 'popover' },
        h('p', {}, t('self_test.explain', { ms: duration(self_test.ms / 1000) })),
        h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows))),
        comparison,
      ),
    ),
  ];
}

/**
 * Links to the page on each device, where there is a choice.
 * @param {import('../state.js').Store<import('../state.js').AppState>} store
 */
function deviceChoice(store) {
  const { opened } = store.state;
  const options = opened ? deviceOptions(opened.device, 'gpu' in navigator) : [];
  if (options.length === 0) return null;
  const leave = (/** @type {MouseEvent} */ event) => {
    const { busy, trained } = store.state;
    if ((busy || trained) && !confirm(t('device.leave'))) event.preventDefault();
  };
  return h(
    'nav',
    { class: 'segments devices', 'aria-label': t('device.choose'), 'data-testid': 'device-choice' },
    ...options.map(({ device: id, name, current, ms, estimated }) =>
      h(
        'a',
        {
          class: 'segment',
          // The settings are in the address, which changes without a redraw of the header.
          href: withDevice(location.href, id),
          'data-testid': `device-${id}`,
          'aria-current': current ? 'true' : null,
          on: {
            click: (/** @type {MouseEvent & {currentTarget: HTMLAnchorElement}} */ event) => {
              event.currentTarget.href = withDevice(location.href, id);
              leave(event);
            },
          },
        },
        name ?? t('device.cpu'),
        ms !== null && ' ',
        ms !== null && h('span', { class: 'device-ms' }, `${estimated ? '≈ ' : ''}${milliseconds(ms)}`),
      ),
    ),
  );
}

/** @param {FocusEvent} event */
function closeOnLeave({ currentTarget, relatedTarget }) {
  if (
    currentTarget instanceof HTMLDetailsElement &&
    relatedTarget instanceof Node &&
    !currentTarget.contains(relatedTarget)
  )
    currentTarget.open = false;
}

/** @param {KeyboardEvent} event */
function closeOnEscape({ currentTarget, key }) {
  if (key !== 'Escape' || !(currentTarget instanceof HTMLDetailsElement) || !currentTarget.open) return;
  currentTarget.open = false;
  currentTarget.querySelector('summary')?.focus();
}

/** @param {import('../state.js').AppState} state */
function fatalNotice({ fatal, opening }) {
  if (!fatal) return null;
  // A shader that the browser refuses can end the module. The CPU needs no shaders.
  const device =
    opening &&
    new URL(location.href).searchParams.get('device') !== 'cpu' &&
    h('p', {}, t('device.stopped_opening'), ' ', useCpu());
  return alert(
    fatal,
    device,
    h(
      'p',
      {},
      h(
        'button',
        { type: 'button', class: 'secondary', 'data-testid': 'reload', on: { click: () => location.reload() } },
        t('error.reload'),
      ),
    ),
  );
}

/** @param {import('../state.js').AppState} state */
function openNotice({ openError }) {
  if (!openError) return null;
  return alert(openError, h('p', {}, useCpu()));
}

/** A link to the same page on the CPU. */
function useCpu() {
  return h('a', { href: withDevice(location.href, 'cpu') }, t('device.use_cpu'));
}

/**
 * Why this device is used, with both times where two were timed.
 * @param {import('../state.js').AppState} state
 */
export function deviceNotice({ opened }) {
  const info = opened?.device;
  if (!info) return null;
  const { keys, warning } = deviceSentences(info);
  if (keys.length === 0) return null;
  const { reason, adapter, refusal, speed } = info;
  const times = speed && {
    batch: speed.batch,
    seq: speed.seq,
    cpu_ms: milliseconds(speed.cpu_ms),
    adapter_ms:
      speed.timed === 'products'
        ? t('device.estimated', { time: milliseconds(speed.adapter_ms) })
        : milliseconds(speed.adapter_ms),
  };
  const values = { adapter: adapter ?? '', refusal: refusal ?? '', ...times };
  return h(
    'div',
    { class: warning ? 'notice' : 'note', 'data-testid': 'device-notice', 'data-reason': reason },
    h('p', {}, keys.map((key) => t(key, values)).join(' ')),
  );
}

/** @param {number} ms e.g. "104 ms", and "1.6 ms" of a fast GPU */
function milliseconds(ms) {
  const maximumFractionDigits = ms < 10 ? 1 : 0;
  return number(ms, { style: 'unit', unit: 'millisecond', unitDisplay: 'short', maximumFractionDigits });
}

/** @param {import('../state.js').AppState} state */
function selfTestNotice({ opened }) {
  if (!opened || opened.self_test.passed) return null;
  const names = opened.self_test.checks.filter(({ passed }) => !passed).map(({ name }) => name);
  return alert({ code: 'self_test', message: `${t('self_test.refused')} (${names.join(', ')})`, field: null });
}
