import { type MapShapes, readShapes } from "./read-shapes.ts";
import type { Shapes } from "./shapes.ts";

/** The bundler puts the shapes here. */
declare const mapShapes: Shapes;

/** The shapes of the map. The module is large, and loaded when a map is shown. */
export const shapes: MapShapes = readShapes(mapShapes);
