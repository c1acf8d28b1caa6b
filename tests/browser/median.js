// The median of measurements, so that one measurement on a busy machine does not decide.

/** @param {number[]} values  an odd number of them */
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
