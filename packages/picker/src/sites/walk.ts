/** Metres of way in a minute on foot: what Japan's rules for property advertisements count, and close to the comfortable gait of adults (1.3 to 1.4 m/s). */
const walkMPerMin = 80;

/** How much longer the way along streets is than the straight line: street networks of cities have 1.2 to 1.4. */
const detour = 1.3;

/** Beyond this nobody is told to walk, in min. */
const longestWalkMin = 60;

/** Minutes on foot over a straight distance, rounded up: `distanceM` × 1.3 at 80 m a minute. Undefined beyond an hour. */
export function walkMinutes(distanceM: number): number | undefined {
  const minutes = Math.max(1, Math.ceil((distanceM * detour) / walkMPerMin));
  return minutes <= longestWalkMin ? minutes : undefined;
}
