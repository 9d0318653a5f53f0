export { CorridorPage } from './corridor-page';
