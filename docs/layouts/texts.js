// Sentences of the prototypes that the page does not have yet. All others come from www/i18n.

import { moment } from './moment.js';

const TEXTS = {
  en: {
    overview: 'Overview',
    gather: 'Gather',
    train: 'Train',
    preview: 'Preview',
    settings: 'Settings',
    close: 'Close',
    runs: 'Runs',
    no_runs: 'No run yet. Each run appears here with its settings and its accuracy.',
    download: 'downloads',
    expected: 'about',
    start: 'Press “Fine-tune now”: the loss of each step appears here.',
    random: 'guessing: 0.69',
    stages: 'Stages',
  },
  ko: {
    overview: '한눈에 보기',
    gather: '모으기',
    train: '학습하기',
    preview: '확인하기',
    settings: '설정',
    close: '닫기',
    runs: '실행 기록',
    no_runs: '아직 실행이 없습니다. 실행할 때마다 설정과 정확도가 여기에 나타납니다.',
    download: '내려받기',
    expected: '약',
    start: '‘지금 미세 조정하기’를 누르면 스텝마다 손실이 여기에 나타납니다.',
    random: '무작위 추측: 0.69',
    stages: '단계',
  },
};

/** @param {keyof typeof TEXTS.en} key */
export const own = (key) => TEXTS[moment.language][key];
