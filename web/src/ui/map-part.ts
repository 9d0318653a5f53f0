/** What draws the map, with the layers of the city now: fetched when the figures are on the screen. */

import { registerOwnLayers } from '../map/own-layers';
import { registerNowLayers } from '../now/map-layers';
import { registerWorstLayer } from '../now/worst-layer';

export { CityMap } from '../map/city-map';

registerOwnLayers();
registerNowLayers();
registerWorstLayer();
