// The headers of a site. Its content security policy has one source, the `meta` element of index.html: the page applies
// it on every host, and a server sends it as a header, because workers do not follow the element.
//
// By hand, the headers for another server: `node xtask/headers.js dist/index.html`

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @typedef {Record<string, string>} Headers */

const META = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/;

/** What a page may ask the visitor's machine for, and this one does not. */
const REFUSED = [
  'accelerometer',
  'autoplay',
  'browsing-topics',
  'camera',
  'clipboard-read',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'usb',
  'xr-spatial-tracking',
];
/** What it does: threads share memory, and an example is copied by a button. */
const USED = ['clipboard-write', 'cross-origin-isolated'];

/**
 * Isolates the page from other origins, so that its threads may share memory
 * (https://developer.mozilla.org/docs/Web/API/Window/crossOriginIsolated). The page and its workers need them.
 * @type {Headers}
 */
export const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * The headers of every response of a site.
 * @param {string} page   the text of its index.html
 * @returns {Headers}
 */
export function siteHeaders(page) {
  return {
    // The element of the page cannot say who may show the page in a frame.
    'content-security-policy': `${policyOf(page)}; frame-ancestors 'none'`,
    ...ISOLATION,
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': [...REFUSED.map((name) => `${name}=()`), ...USED.map((name) => `${name}=(self)`)].join(', '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

/**
 * The content security policy of a page, on one line.
 * @param {string} page
 */
export function policyOf(page) {
  const policy = META.exec(page)?.[1];
  if (!policy) throw new Error('the page has no content security policy');
  return policy.replace(/\s+/g, ' ').trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const headers = siteHeaders(readFileSync(process.argv[2] ?? 'index.html', 'utf8'));
  for (const [name, value] of Object.entries(headers)) console.log(`${name}: ${value}`);
}
