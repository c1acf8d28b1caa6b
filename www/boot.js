// Says in a sentence why the page does not start: a browser without what it needs, or a script that does not arrive or
// fails. It depends on nothing else, so it has its own texts and is written for any browser (ES5). The page replaces
// the sentence when it draws its notices (panels/header.js). From `data-boot="runs"` on it reports its errors itself.

(function () {
  'use strict';

  var SLOW_MS = 20000;
  /** The smallest module with an instruction of fixed-width SIMD. */
  var SIMD = '0061736d010000000105016000017b030201000a0a0108004100fd0ffd620b';
  /** @type {Record<string, Record<string, string>>} */
  var TEXTS = {
    en: {
      modules: 'This browser is too old for webtune: it cannot load modules of JavaScript.',
      wasm: 'This browser has no WebAssembly, in which webtune computes, or it is turned off.',
      simd: 'This browser or processor has no SIMD instructions of WebAssembly, with which webtune computes.',
      browser: 'Use a current version of Chrome, Edge, Firefox or Safari.',
      wasm_off:
        'Use a current version of Chrome, Edge, Firefox or Safari. Some strict security modes turn WebAssembly off.',
      script: 'A script of webtune could not be loaded, so the page cannot start.',
      failed: 'A script of webtune has failed, so the page cannot start.',
      slow: 'webtune is still loading. The connection may be slow or interrupted.',
      reload: 'Reload the page. If that does not help, check the connection, or use a current browser.',
    },
    ko: {
      modules: '이 브라우저는 JavaScript 모듈을 불러올 수 없을 만큼 오래되어 webtune을 실행할 수 없습니다.',
      wasm: '이 브라우저에는 webtune이 계산에 쓰는 WebAssembly가 없거나 꺼져 있습니다.',
      simd: '이 브라우저나 프로세서에는 webtune이 계산에 쓰는 WebAssembly SIMD 명령이 없습니다.',
      browser: '최신 버전의 Chrome, Edge, Firefox 또는 Safari를 사용하세요.',
      wasm_off:
        '최신 버전의 Chrome, Edge, Firefox 또는 Safari를 사용하세요. 일부 강화된 보안 모드는 WebAssembly를 끕니다.',
      script: 'webtune의 스크립트를 불러오지 못해 페이지를 시작할 수 없습니다.',
      failed: 'webtune의 스크립트에서 오류가 발생해 페이지를 시작할 수 없습니다.',
      slow: 'webtune을 아직 불러오는 중입니다. 연결이 느리거나 끊겼을 수 있습니다.',
      reload: '페이지를 새로 고치세요. 그래도 안 되면 연결을 확인하거나 최신 브라우저를 사용하세요.',
    },
  };
  var root = document.documentElement;

  /** As main.js chooses it: the language of the address, the stored one, that of the browser. */
  function language() {
    var stored = null;
    try {
      stored = localStorage.getItem('webtune.language');
    } catch (error) {
      // Where storage is blocked, nothing is stored.
    }
    var named = /[?&]lang=(\w+)/.exec(location.search);
    var first = (named && named[1]) || stored || navigator.language || '';
    return /^ko\b/i.test(first) ? 'ko' : 'en';
  }

  /**
   * Shows why the page does not start, unless it runs or shows it already.
   * @param {string} problem  the key of a sentence
   * @param {string} advice   the key of another
   * @param {string} [detail] what the browser says
   */
  function show(problem, advice, detail) {
    var before = document.getElementById('boot');
    if (root.getAttribute('data-boot') === 'runs' || (before && before.getAttribute('data-problem') !== 'slow')) return;
    if (before && before.parentNode) before.parentNode.removeChild(before);
    var chosen = language();
    var texts = TEXTS[chosen];
    var box = document.createElement('div');
    box.id = 'boot';
    box.className = 'alert';
    box.setAttribute('role', 'alert');
    box.setAttribute('lang', chosen);
    box.setAttribute('data-problem', problem);
    append(box, texts[problem] + (detail ? ' (' + detail + ')' : ''));
    append(box, texts[advice]);
    var place = document.getElementById('problems') || document.body;
    place.appendChild(box);
  }

  /**
   * @param {Element} box
   * @param {string} text
   */
  function append(box, text) {
    var paragraph = document.createElement('p');
    paragraph.appendChild(document.createTextNode(text));
    box.appendChild(paragraph);
  }

  /** @param {string} digits  two hexadecimal ones for each byte */
  function bytes(digits) {
    var made = new Uint8Array(digits.length / 2);
    for (var at = 0; at < made.length; at += 1) made[at] = parseInt(digits.substr(2 * at, 2), 16);
    return made;
  }

  /** What the browser lacks, as the keys of two sentences, or null. */
  function lack() {
    if (!('noModule' in HTMLScriptElement.prototype)) return ['modules', 'browser'];
    if (typeof WebAssembly !== 'object') return ['wasm', 'wasm_off'];
    if (!WebAssembly.validate(bytes(SIMD))) return ['simd', 'browser'];
    return null;
  }

  /** @param {Event} event  of a script that did not arrive, or of an error that nothing has caught */
  function onError(event) {
    var target = event.target;
    if (target instanceof HTMLScriptElement) show('script', 'reload', target.src);
    else if (target === window) show('failed', 'reload', /** @type {ErrorEvent} */ (event).message);
  }

  var missing = lack();
  if (missing) {
    root.setAttribute('data-boot', 'refused');
    show(missing[0], missing[1]);
    return;
  }
  root.setAttribute('data-boot', 'waits');
  // Errors of elements do not bubble.
  window.addEventListener('error', onError, true);
  window.addEventListener('unhandledrejection', function (event) {
    show('failed', 'reload', (event.reason && event.reason.message) || String(event.reason));
  });
  setTimeout(function () {
    show('slow', 'reload');
  }, SLOW_MS);
})();
