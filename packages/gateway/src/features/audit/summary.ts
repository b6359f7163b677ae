/** Longest summary of an entry, in characters. */
export const summaryMaxLength = 400;
