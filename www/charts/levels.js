// Lines at one level, each with its name and value at its right end: they are told apart without a legend and without
// colours.

/** @typedef {import('../../vendor/uplot.js').default} uPlot */
/** @typedef {{text: string, y: number}} LevelLabel  `y` is the line, in pixels of the canvas */

/**
 * The places of the labels: each above its line, moved up where it would cover another one, and inside of the plot.
 * @param {number[]} lines   in pixels from the top
 * @param {number} height    of a label
 * @param {number} top       of the plot
 * @returns {number[]} the lower edge of each label, in the order of the lines
 */
export function spread(lines, height, top) {
  const order = lines.map((_, at) => at).sort((a, b) => (lines[b] ?? 0) - (lines[a] ?? 0) || a - b);
  /** @type {number[]} */
  const places = lines.map(() => 0);
  // From the lowest line up: a label stays above the one below it.
  let above = Infinity;
  for (const at of order) {
    const place = Math.min(lines[at] ?? 0, above);
    places[at] = place;
    above = place - height;
  }
  // What leaves the plot at its top moves down, and pushes the labels below it.
  let below = top;
  for (const at of order.toReversed()) {
    const place = Math.max(places[at] ?? 0, below + height);
    places[at] = place;
    below = place;
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
  const places = spread(
    labels.map(({ y }) => y - gap),
    Math.round(size * 1.15),
    bbox.top,
  );
  ctx.save();
  ctx.font = `${size}px ${family}`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  ctx.lineJoin = 'round';
  // Readable also over the curve.
  ctx.strokeStyle = ground;
  ctx.lineWidth = size * 0.35;
  ctx.fillStyle = ink;
  labels.forEach(({ text }, at) => {
    const [x, y] = [bbox.left + bbox.width - gap, places[at] ?? 0];
    ctx.strokeText(text, x, y);
    ctx.fillText(text, x, y);
  });
  ctx.restore();
}
