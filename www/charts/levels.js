// Lines at one level, each with its name and value at its left end, where a run has no evaluation yet. They are told
// apart without a legend and without colours.

/** @typedef {import('../../vendor/uplot.js').default} uPlot */
/** @typedef {{text: string, y: number}} LevelLabel  `y` is the line, in pixels of the canvas */

/**
 * The places of the labels: each above its line, or below it where it would cover the line or the label above it. All
 * are inside of the plot, as far as they fit.
 * @param {number[]} lines   in pixels from the top
 * @param {number} height    of a label with the gap to its line
 * @param {{top: number, bottom: number}} plot
 * @returns {number[]} the lower edge of each label, in the order of the lines
 */
export function placeLabels(lines, height, { top, bottom }) {
  const fromTop = lines.map((_, at) => at).sort((a, b) => (lines[a] ?? 0) - (lines[b] ?? 0) || a - b);
  const places = lines.map(() => 0);
  // The lowest place that is taken, by a line or by its label.
  let taken = top;
  for (const at of fromTop) {
    const line = lines[at] ?? 0;
    const fitsAbove = line - height >= taken || line + height > bottom;
    const place = fitsAbove ? line : Math.max(line, taken) + height;
    places[at] = Math.min(place, bottom);
    taken = Math.max(line, place);
  }
  return places;
}

/**
 * @param {uPlot} plot
 * @param {LevelLabel[]} labels
 * @param {{size: number, family: string, ink: string, ground: string}} style  `size` in pixels of the canvas
 */
export function drawLabels({ ctx, bbox }, labels, { size, family, ink, ground }) {
  const gap = Math.round(size * 0.2);
  const lines = labels.map(({ y }) => y);
  const places = placeLabels(lines, size + 2 * gap, { top: bbox.top, bottom: bbox.top + bbox.height });
  ctx.save();
  ctx.font = `${size}px ${family}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.lineJoin = 'round';
  // Readable also over the grid.
  ctx.strokeStyle = ground;
  ctx.lineWidth = size * 0.35;
  ctx.fillStyle = ink;
  labels.forEach(({ text }, at) => {
    const [x, y] = [bbox.left + gap, (places[at] ?? 0) - gap];
    ctx.strokeText(text, x, y);
    ctx.fillText(text, x, y);
  });
  ctx.restore();
}
