// Texts that would do something if a page took them for markup, a script, an address or a formula.

import { expect } from '@playwright/test';

/** No site. A request for it is one that a text has caused. */
const ELSEWHERE = 'http://elsewhere.invalid';

/** A name of a class and of a file, without characters that a file's name cannot have. */
export const MARKUP = '<img src=x onerror=pwned()>';
export const FORMULA = `=HYPERLINK("${ELSEWHERE}/label","open")`;

export const HOSTILE = [
  MARKUP,
  `<img src="${ELSEWHERE}/image" onerror="pwned()">`,
  `"><script src="${ELSEWHERE}/script"></script>`,
  "'><svg onload=pwned()>",
  '</td></table><script>pwned()</script>',
  `<style>@import url(${ELSEWHERE}/style)</style>`,
  `<link rel="preconnect" href="${ELSEWHERE}"><base href="${ELSEWHERE}">`,
  `<iframe srcdoc="<script>parent.pwned()</script>" src="${ELSEWHERE}/frame"></iframe>`,
  `<form action="${ELSEWHERE}/form"><button autofocus onfocus=pwned()>`,
  '<a href="javascript:pwned()">a link</a>',
  'javascript:pwned()',
  `[a link](javascript:pwned()) ![an image](${ELSEWHERE}/markdown)`,
  `${ELSEWHERE}/address`,
  '{{constructor.constructor("pwned()")()}} ${pwned()} #{pwned()}',
  '&lt;img src=x onerror=pwned()&gt;',
  '{count} {name} {0} %s',
  '__proto__',
  FORMULA,
  '+cmd|" /C calc"!A0',
  '-2+3+cmd',
  '@SUM(1+1)*2',
  '\t=1+1',
  '\r=1+1',
  '\u202egnp.exe',
];

/**
 * Watches a page for what a text must not do: open a dialog, call `pwned`, or break the policy of the page.
 * @param {import('@playwright/test').Page} page
 */
export async function watch(page) {
  /** @type {string[]} */
  const found = [];
  page.on('dialog', (dialog) => {
    found.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('popup', (popup) => void found.push(`a window: ${popup.url()}`));
  page.on('frameattached', (frame) => void found.push(`a frame: ${frame.url()}`));
  await page.exposeFunction('pwned', () => void found.push('a script'));
  await page.exposeFunction('violated', (/** @type {string} */ what) => void found.push(what));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      const { effectiveDirective, blockedURI } = /** @type {SecurityPolicyViolationEvent} */ (event);
      /** @type {any} */ (window).violated(`the policy: ${effectiveDirective} ${blockedURI}`);
    });
  });
  return found;
}

/**
 * Expects that every element of the page is one that its own scripts make.
 * @param {import('@playwright/test').Page} page
 */
export async function expectNoMarkup(page) {
  const strange = await page.evaluate(() => {
    const all = [...document.querySelectorAll('*')];
    const listens = all.filter((one) => one.getAttributeNames().some((name) => /^on|^srcdoc$|^formaction$/.test(name)));
    const foreign = all.filter((one) =>
      ['src', 'href', 'action', 'data', 'poster', 'xlink:href'].some((name) => {
        const address = one.getAttribute(name);
        if (address === null || address.startsWith('#')) return false;
        const { protocol, origin } = new URL(address, document.baseURI);
        return origin !== location.origin || (protocol !== 'http:' && protocol !== 'blob:');
      }),
    );
    const kinds = [
      ...document.querySelectorAll('iframe, object, embed, base, style, script:not([src]), img:not([alt=""])'),
    ];
    return [...new Set([...listens, ...foreign, ...kinds])].map((one) => one.outerHTML.slice(0, 200));
  });
  expect(strange).toEqual([]);
}
