import { choiceOf, type HoldAnswer, type PickerChoice } from "../choice/choice.ts";
import { problemOf } from "../gateway/problem.ts";
import type { Offer } from "../sites/offer.ts";
import type { Core } from "./core.ts";
import { checkFit, type Fit } from "./search.ts";
import type { Searcher } from "./searcher.ts";

/** Makes the choice. */
export interface Chooser {
  /** Chooses the selected place, and holds one there where the shop can. */
  confirm(): Promise<void>;
  /** Takes a choice that was made before, and asks whether it is still possible. */
  restore(choice: PickerChoice): void;
  /** Has a choice signed again before its signature expires. */
  tick(): void;
  stop(): void;
}

/** How long before its signature expires a choice is signed anew, in ms. */
const signAgainMs = 120_000;

/** How long the shop's server may take to hold a place, in ms. */
const holdPatienceMs = 15_000;

export function createChooser({ ports, state, set, gatewayNow, selectFrom }: Core, { search }: Searcher): Chooser {
  const { settings, directory } = ports;
  const ending = new AbortController();
  const { signal } = ending;
  let isRechecking = false;
  let signedAtMs = 0;

  async function confirm(): Promise<void> {
    const offer = state.offers?.find(({ siteId }) => siteId === state.selectedId);
    if (offer === undefined || state.isConfirming) return;
    set({ isConfirming: true, notice: undefined });
    try {
      const fit = await sign(offer.siteId);
      if (!fit.fits) return goneFrom(offer);
      const { fits: _fits, ...signed } = fit;
      const wanted = { ...choiceOf(offer), ...signed };
      const held = await holdPlace(wanted);
      if (held !== undefined && "gone" in held) return goneFrom(offer);
      accept({ ...wanted, ...held });
    } catch (error) {
      if (signal.aborted) return;
      set({ isConfirming: false, notice: { kind: "choosing-failed" } });
      ports.failed(problemOf(error));
    }
  }

  /** Has a choice signed. A gateway of an earlier release signs nothing. @throws {ProblemError} for what may pass */
  async function sign(siteId: string): Promise<Fit> {
    try {
      return await checkFit(directory, settings, siteId, signal);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.reason === "SITE_NOT_FOUND") return { fits: false, reason: "NOT_IN_SERVICE" };
      if (problem.isPassing || signal.aborted) throw error;
      ports.failed({
        ...problem,
        reason: "CHOICE_UNSIGNED",
        message: `The gateway signed no choice: ${problem.reason} ${problem.message}`,
      });
      return { fits: true };
    }
  }

  /** Undefined: nothing is held. */
  async function holdPlace(wanted: PickerChoice): Promise<HoldAnswer | undefined> {
    try {
      return await ports.hold()?.(wanted, state.choice, AbortSignal.any([signal, AbortSignal.timeout(holdPatienceMs)]));
    } catch (error) {
      if (signal.aborted) throw error;
      set({ notice: { kind: "hold-failed" } });
      ports.failed({ reason: "HOLD_FAILED", message: `The shop's server could not hold a place: ${String(error)}`, isPassing: true });
      return undefined;
    }
  }

  function accept(choice: PickerChoice): void {
    set({ choice, isConfirming: false, isChanging: false });
    ports.chose(choice);
  }

  /** The last place went to somebody else: offers the next best. */
  function goneFrom({ siteId, name }: Offer): void {
    const offers = (state.offers ?? []).map((offer) => (offer.siteId === siteId ? { ...offer, free: 0 } : offer));
    set({ offers, selectedId: selectFrom(offers, siteId), isConfirming: false, notice: { kind: "place-gone", name } });
    ports.failed({ reason: "PLACE_GONE", message: `The last place at ${siteId} went to somebody else.`, isPassing: false });
    void search(true);
  }

  /** Asks whether a choice is still possible, and has it signed anew. */
  async function recheck(choice: PickerChoice): Promise<void> {
    // What is held is not free any more, to the shopper either.
    if (choice.heldUntil !== undefined && Date.parse(choice.heldUntil) > gatewayNow()) return;
    isRechecking = true;
    try {
      const fit = await sign(choice.siteId);
      if (state.choice !== choice) return;
      if (fit.fits) {
        const { fits: _fits, ...signed } = fit;
        set({ choice: { ...choice, ...signed } });
        if (state.choice !== undefined) ports.signed(state.choice);
        return;
      }
      set({ choice: undefined, isChanging: false, notice: { kind: "not-offered", name: choice.name } });
      ports.failed({ reason: "SITE_NOT_OFFERED", message: `${choice.siteId} does not take the parcel: ${fit.reason}.`, isPassing: false });
      ports.lost(choice);
      void search(false);
    } catch (error) {
      // The shop's server asks again.
      if (!signal.aborted) ports.failed(problemOf(error));
    } finally {
      isRechecking = false;
    }
  }

  return {
    confirm,
    restore(choice) {
      set({ choice, isChanging: false });
      void recheck(choice);
    },
    tick() {
      const { choice } = state;
      const isEnding = choice?.signedUntil !== undefined && Date.parse(choice.signedUntil) - gatewayNow() < signAgainMs;
      if (choice === undefined || !isEnding || isRechecking || ports.now() - signedAtMs < signAgainMs / 2) return;
      signedAtMs = ports.now();
      void recheck(choice);
    },
    stop: () => ending.abort(),
  };
}
