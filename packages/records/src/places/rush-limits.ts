/**
 * The number of sites that a call tries at once: first, and after others took the last place there. A search is seldom older than a few ms, so that the
 * nearest site nearly always still has its place, and a search for one site takes half as long as a search for three.
 */
export const candidatesTried = { first: 1, again: 3 } as const;

/** The number of times a named site is read again where it changed before the place could be taken. */
export const namedAttemptsMax = 5;

/** The number of searches of one call where others take every place that it finds: in a rush for one place, each round is won by somebody. */
export const searchesMax = 25;
