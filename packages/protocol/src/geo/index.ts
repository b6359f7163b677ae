/** Distances on the Earth, as everyone who measures the same way as the gateway computes them. */
export { earthRadiusM, greatCircleByCosinesM, greatCircleM, radiansPerDegree, toCentimetre } from "./great-circle.ts";
export { type Position, quantise, unitsPerDegree } from "./position.ts";
