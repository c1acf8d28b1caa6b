// The objects that every panel is given.

/**
 * @typedef {object} App
 * @property {import('./state.js').Store<import('./state.js').AppState>} store
 * @property {import('./settings.js').Settings} settings
 * @property {import('./workflow.js').Workflow} workflow
 * @property {import('./session.js').Session} session
 */

export {};
