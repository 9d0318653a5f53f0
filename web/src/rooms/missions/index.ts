/** The part of the page that shows emergency missions; loaded when it is first needed. */

export { refreshMissions } from './actions';
export { startOverlay } from './map-overlay';
export { MissionsPanel } from './missions-panel';
