import type { Point } from "../map/picker-map.ts";
import { noneLeftOut } from "../sites/left-out.ts";
import type { Core } from "./core.ts";
import { onlyOperators } from "./operators.ts";
import type { Searcher } from "./searcher.ts";
import { pageSize } from "./state.ts";

/** Finds where the shopper is. */
export interface Finder {
  /** @param typed what the address field says of the point */
  goTo(point: Point, typed: string): void;
  findAddress(text: string): Promise<void>;
  locate(): Promise<void>;
  stop(): void;
}

export function createFinder({ ports, state, set }: Core, { search }: Searcher): Finder {
  let finding = new AbortController();

  function goTo(point: Point, typed: string): void {
    set({
      point,
      typed,
      addresses: [],
      notice: undefined,
      limit: pageSize,
      offers: undefined,
      notOffered: noneLeftOut,
      operators: onlyOperators(state.operators, state.operatorIds),
      selectedId: undefined,
    });
    ports.moved();
    void search(false);
  }

  async function findAddress(text: string): Promise<void> {
    const resolve = ports.resolveAddress();
    if (resolve === undefined || text.trim() === "") return;
    finding.abort();
    finding = new AbortController();
    const { signal } = finding;
    set({ typed: text, notice: undefined, addresses: [], isLocating: true });
    try {
      const addresses = await resolve(text.trim(), signal);
      if (signal.aborted) return;
      set({ isLocating: false });
      const [first] = addresses;
      if (first === undefined) {
        set({ notice: { kind: "address-not-found", text } });
        ports.failed({ reason: "ADDRESS_NOT_FOUND", message: "The shop's resolver found no point for what was typed.", isPassing: false });
      } else if (addresses.length === 1) {
        goTo(first, first.label);
      } else {
        set({ addresses });
      }
    } catch (error) {
      if (signal.aborted) return;
      set({ isLocating: false, notice: { kind: "address-failed" } });
      ports.failed({ reason: "ADDRESS_FAILED", message: `The shop's resolver failed: ${String(error)}`, isPassing: true });
    }
  }

  async function locate(): Promise<void> {
    finding.abort();
    finding = new AbortController();
    const { signal } = finding;
    set({ isLocating: true, notice: undefined, addresses: [] });
    try {
      const point = await ports.locate();
      if (signal.aborted) return;
      set({ isLocating: false });
      goTo(point, "");
    } catch (error) {
      if (signal.aborted) return;
      set({ isLocating: false, notice: { kind: "location-denied" } });
      ports.failed({ reason: "LOCATION_UNAVAILABLE", message: `The browser gave no place: ${String(error)}`, isPassing: false });
    }
  }

  return { goTo, findAddress, locate, stop: () => finding.abort() };
}
