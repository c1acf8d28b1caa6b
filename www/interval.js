// The 95 % confidence interval of a share, by Wilson's score method, which is also valid for few rows and near 0 and 1.

/** The 0.975 quantile of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * @param {number} successes
 * @param {number} total
 * @returns {[number, number]} shares of 1
 */
export function wilson(successes, total) {
  if (total <= 0) return [0, 1];
  const share = successes / total;
  const spread = (Z * Z) / total;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((share * (1 - share) + spread / 4) / total)) / (1 + spread);
  // Rounding may lead outside of the exact bounds.
  const low = successes <= 0 ? 0 : Math.max(0, centre - half);
  const high = successes >= total ? 1 : Math.min(1, centre + half);
  return [low, high];
}
