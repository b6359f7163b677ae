/** Whose default terms are meant: an operator's, for its sites in one of the two networks. */
export interface TermsOwner {
  readonly operatorId: string;
  readonly isTest: boolean;
}

/** The names of the keys under which terms are kept. No other module spells one. */
export interface TermsKeys {
  /** Hash: number → terms. What stands there never changes. */
  numbered(): string;
  /** Hash: terms → their number. */
  numbers(): string;
  /** Counter of the numbers. */
  counter(): string;
  /** What an operator's sites have where they do not say, in the live or in the test network. */
  defaultOf(operator: TermsOwner): string;
}

/** Key names under a prefix. */
export function createTermsKeys(prefix: string): TermsKeys {
  return {
    numbered: () => `${prefix}:terms`,
    numbers: () => `${prefix}:terms-numbers`,
    counter: () => `${prefix}:terms-counter`,
    defaultOf: ({ operatorId, isTest }) => `${prefix}:default-terms:${isTest ? "test" : "live"}:${operatorId}`,
  };
}
