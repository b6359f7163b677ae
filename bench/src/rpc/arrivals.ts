/** How requests arrive: one after another at equal distances, as load generators send them, or whenever somebody comes, as people do (Poisson). */
export type Arrivals = "even" | "random";

/** When requests are due, in ms from the beginning, ascending, over so many seconds. */
export function arrivalTimes(arrivals: Arrivals, requestsPerSecond: number, seconds: number, random: () => number): Float64Array {
  const meanMs = 1000 / requestsPerSecond;
  const times: number[] = [];
  for (let atMs = 0; atMs < seconds * 1000; atMs += arrivals === "even" ? meanMs : -Math.log(1 - random()) * meanMs) times.push(atMs);
  return Float64Array.from(times);
}
