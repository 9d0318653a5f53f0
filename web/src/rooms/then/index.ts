export { ThenPanel } from './then-panel';
