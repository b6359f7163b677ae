import { type Choice, type ChoiceToVerify, type IssuerKeyPeriod, readIssuerKeySet, verifyChoice } from "@petak/credential";

/** Options of {@link createChoiceVerifier}. */
export interface ChoiceVerifierOptions {
  /** The gateway's address. */
  baseUrl: string;
  /** The participant that owns the publishable key of the page. */
  participantId: string;
  /** Default `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** The clock, in ms. Default `Date.now`. It must be right within a few seconds. */
  now?: () => number;
}

/** Verifies choices for a shop's server. */
export interface ChoiceVerifier {
  /**
   * Verifies a choice that a page sent. State what the order is for: whatever is left out is not compared.
   *
   * @throws {PetakError} CHOICE_INVALID, CHOICE_EXPIRED or CHOICE_MISMATCH; {@link Error} if the gateway's keys cannot be read
   */
  verify(choice: string, wanted?: Omit<ChoiceToVerify, "participantId">): Promise<Choice>;
}

/** How long keys are used before they are read again, in ms: as long as the gateway lets caches keep them. A new key is published hours before it signs. */
const keysMaxAgeMs = 300_000;

/** Creates a verifier that reads the gateway's issuer keys when it needs them. */
export function createChoiceVerifier({
  baseUrl,
  participantId,
  fetch = globalThis.fetch,
  now = Date.now,
}: ChoiceVerifierOptions): ChoiceVerifier {
  const address = `${baseUrl.replace(/\/+$/, "")}/.well-known/petak/issuer-keys.json`;
  let known: { keys: Promise<IssuerKeyPeriod[]>; readAtMs: number } | undefined;

  async function read(): Promise<IssuerKeyPeriod[]> {
    try {
      const answer = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(`the status is ${answer.status}`);
      return await readIssuerKeySet(await answer.json());
    } catch (error) {
      known = undefined;
      throw new Error(`cannot read the issuer keys at ${address}: ${(error as Error).message}`, { cause: error });
    }
  }

  return {
    async verify(choice, wanted = {}) {
      const nowMs = now();
      if (known === undefined || Math.abs(nowMs - known.readAtMs) >= keysMaxAgeMs) known = { keys: read(), readAtMs: nowMs };
      return await verifyChoice(choice, { ...wanted, participantId }, { issuerKeys: await known.keys, nowMs });
    },
  };
}
