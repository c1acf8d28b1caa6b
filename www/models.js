// The models that the page proposes, by size.
//
// Sizes and licences are copied from the repositories, so that the page sends no request before a button is pressed.
// They may be out of date: the page marks the sizes as approximate.
//
// Sources of the embedding models, as stored copies of pages: of bge-small and gte-small layers and hidden size from
// the config.json of a copy that names them, of arctic-embed-xs from its card, which names MiniLM as its base; bytes
// from the lists of files (of gte-small: the 0.07 GB of its model card, which are 16-bit weights). Of
// multilingual-e5-small layers, hidden size, languages and licence from its model card; parameters and bytes are
// computed for the 250,037 tokens of XLM-RoBERTa's vocabulary in 32 bits. The published config.json of none of them has
// been seen.

/**
 * @typedef {object} KnownModel
 * @property {string|null} repo       on the Hub; null is the model of this site
 * @property {string} name
 * @property {string} about           i18n key: what it suits
 * @property {string} language        i18n key
 * @property {number} parameters      without the head
 * @property {number} layers          of the encoder
 * @property {number} hidden_size
 * @property {number} bytes           of the download
 * @property {string} license
 * @property {boolean} [further]      listed among the further models
 */

const MB = 1_000_000;

/** @type {KnownModel[]} */
export const MODELS = [
  {
    repo: null,
    name: 'all-MiniLM-L6-v2',
    about: 'gallery.minilm',
    language: 'gallery.english',
    parameters: 22.7e6,
    layers: 6,
    hidden_size: 384,
    bytes: 45 * MB,
    license: 'Apache-2.0',
  },
  {
    repo: 'google/bert_uncased_L-2_H-128_A-2',
    name: 'BERT tiny',
    about: 'gallery.tiny',
    language: 'gallery.english',
    parameters: 4.4e6,
    layers: 2,
    hidden_size: 128,
    bytes: 18 * MB,
    license: 'Apache-2.0',
  },
  {
    repo: 'Snowflake/snowflake-arctic-embed-xs',
    name: 'arctic-embed-xs',
    about: 'gallery.arctic',
    language: 'gallery.english',
    parameters: 22.7e6,
    layers: 6,
    hidden_size: 384,
    bytes: 91 * MB,
    license: 'Apache-2.0',
  },
  {
    repo: 'thenlper/gte-small',
    name: 'gte-small',
    about: 'gallery.gte',
    language: 'gallery.english',
    parameters: 33.4e6,
    layers: 12,
    hidden_size: 384,
    bytes: 67 * MB,
    license: 'MIT',
  },
  {
    repo: 'BAAI/bge-small-en-v1.5',
    name: 'bge-small-en-v1.5',
    about: 'gallery.bge',
    language: 'gallery.english',
    parameters: 33.4e6,
    layers: 12,
    hidden_size: 384,
    bytes: 134 * MB,
    license: 'MIT',
  },
  {
    repo: 'intfloat/multilingual-e5-small',
    name: 'multilingual-e5-small',
    about: 'gallery.e5',
    language: 'gallery.languages_94',
    parameters: 118e6,
    layers: 12,
    hidden_size: 384,
    bytes: 471 * MB,
    license: 'MIT',
  },
  {
    repo: 'google-bert/bert-base-uncased',
    name: 'BERT base',
    about: 'gallery.base',
    language: 'gallery.english',
    parameters: 110e6,
    layers: 12,
    hidden_size: 768,
    bytes: 440 * MB,
    license: 'Apache-2.0',
  },
  {
    repo: 'klue/bert-base',
    name: 'KLUE BERT base',
    about: 'gallery.klue',
    language: 'gallery.korean',
    parameters: 111e6,
    layers: 12,
    hidden_size: 768,
    bytes: 443 * MB,
    license: 'CC-BY-SA-4.0',
  },
  {
    repo: 'google/bert_uncased_L-4_H-256_A-4',
    name: 'BERT mini',
    about: 'gallery.mini',
    language: 'gallery.english',
    parameters: 11.2e6,
    layers: 4,
    hidden_size: 256,
    bytes: 45 * MB,
    license: 'Apache-2.0',
    further: true,
  },
  {
    repo: 'google/bert_uncased_L-4_H-512_A-8',
    name: 'BERT small',
    about: 'gallery.small',
    language: 'gallery.english',
    parameters: 28.8e6,
    layers: 4,
    hidden_size: 512,
    bytes: 115 * MB,
    license: 'Apache-2.0',
    further: true,
  },
  {
    repo: 'google/bert_uncased_L-8_H-512_A-8',
    name: 'BERT medium',
    about: 'gallery.medium',
    language: 'gallery.english',
    parameters: 41.4e6,
    layers: 8,
    hidden_size: 512,
    bytes: 166 * MB,
    license: 'Apache-2.0',
    further: true,
  },
  {
    repo: 'google-bert/bert-base-multilingual-cased',
    name: 'BERT base, multilingual',
    about: 'gallery.multilingual',
    language: 'gallery.languages',
    parameters: 178e6,
    layers: 12,
    hidden_size: 768,
    bytes: 714 * MB,
    license: 'Apache-2.0',
    further: true,
  },
];

/**
 * The model of this list that an origin names, or null. A model of the Hub may be named with a revision.
 * @param {import('./state.js').Origin} origin
 */
export function knownModel(origin) {
  if (origin.kind === 'disk') return null;
  const repo = origin.kind === 'hub' ? (origin.repo.trim().split('@')[0] ?? '') : null;
  return MODELS.find((model) => model.repo === repo) ?? null;
}

/**
 * Whether a text has the form of a model of the Hub, `owner/name` or `owner/name@revision`. The addresses of folders
 * begin with a dot, a slash or a scheme, or end in a slash. The crate makes the final check.
 * @param {string} text
 */
export const isRepo = (text) => /^[\w][\w.-]*\/[\w][\w.-]*(@[\w./-]+)?$/.test(text.trim()) && !text.endsWith('/');
