// A chart as a file: the drawing in light colours, as SVG or as PNG.

import { HEIGHT, WIDTH, chartSvg } from './svg.js';

/** @typedef {import('./svg.js').Drawing} Drawing */

/** Pixels of the PNG for one of the drawing: sharp on a projector and in print. */
const PIXELS = 2;

/** @param {Drawing} drawing */
export const svgFile = (drawing) => new Blob([chartSvg(drawing)], { type: 'image/svg+xml' });

/**
 * @param {Drawing} drawing
 * @returns {Promise<Blob>}
 */
export async function pngFile(drawing) {
  const url = URL.createObjectURL(svgFile(drawing));
  try {
    const image = new Image(WIDTH, HEIGHT);
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH * PIXELS;
    canvas.height = HEIGHT * PIXELS;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture has no content'))), 'image/png'),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * The colours of the light scheme, whatever the page shows: a file is put into documents and printed.
 * @param {string[]} names  CSS variables
 * @returns {string[]}
 */
export function lightColours(names) {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.dataset.theme = 'light';
  probe.dataset.contrast = 'normal';
  document.body.append(probe);
  const colours = names.map((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}
