// The objects that every panel is given.

/**
 * @typedef {object} App
 * @property {import('./state.js').Store<import('./state.js').AppState>} store
 * @property {import('./settings.js').Settings} settings
 * @property {import('./workflow.js').Workflow} workflow
 * @property {import('./session.js').Session} session
 * @property {import('./workspace/by-itself.js').Times} times  what is known of the speed of the device
 */

export {};
