import { type Filter, toggled, toggleFilter } from "../settings/filters.ts";
import { type Chooser, createChooser } from "./chooser.ts";
import { createCore, type Ports } from "./core.ts";
import { createDetails, type Details } from "./details.ts";
import { createFinder, type Finder } from "./finder.ts";
import { createSearcher } from "./searcher.ts";
import { maxLimit, pageSize, type State } from "./state.ts";

/** What a picker knows, and what a shopper can do with it. */
export interface Model extends Omit<Finder, "stop">, Omit<Chooser, "stop" | "tick">, Pick<Details, "see"> {
  readonly state: State;
  /** The time by the gateway's clock, in ms. */
  gatewayNow(): number;
  toggle(filter: Filter): void;
  /** Shows an operator's sites only, or no longer; several can be shown. */
  toggleOperator(operatorId: string): void;
  /** @param minute after midnight; undefined: whenever */
  openAt(minute: number | undefined): void;
  openFilters(): void;
  showAll(): void;
  showMore(): void;
  select(siteId: string): void;
  change(): void;
  tryAgain(): void;
  clear(): void;
  /** Refreshes what has expired. To be called every second or so while the picker is seen. */
  tick(): void;
  /** Ends all that is under way. */
  stop(): void;
}

export function createModel(ports: Ports): Model {
  const core = createCore(ports);
  const { state, set, gatewayNow } = core;
  const details = createDetails(core);
  const searcher = createSearcher(core, details);
  const finder = createFinder(core, searcher);
  const chooser = createChooser(core, searcher);
  const { search } = searcher;
  return {
    ...finder,
    ...chooser,
    see: details.see,
    state,
    gatewayNow,
    toggle(filter) {
      set({ filters: toggleFilter(state.filters, filter), limit: pageSize, notice: undefined });
      if (filter === "open-now") set({ openAtMinute: undefined });
      void search(false);
    },
    toggleOperator(operatorId) {
      set({ operatorIds: toggled(state.operatorIds, operatorId), limit: pageSize, notice: undefined });
      void search(false);
    },
    openAt(minute) {
      const filters = new Set([...state.filters].filter((filter) => filter !== "open-now"));
      set({ filters, openAtMinute: minute, limit: pageSize, notice: undefined });
      void search(false);
    },
    openFilters: () => set({ areFiltersOpen: true }),
    showAll() {
      set({ filters: new Set(), operatorIds: new Set(), openAtMinute: undefined, limit: pageSize });
      void search(false);
    },
    showMore() {
      set({ limit: Math.min(maxLimit, state.limit + pageSize) });
      void search(false);
    },
    select: (siteId) => set({ selectedId: siteId, notice: undefined }),
    change() {
      const { choice, point, offers } = state;
      set({ isChanging: true, selectedId: choice?.siteId });
      if (point === undefined && choice !== undefined) finder.goTo(choice, choice.name);
      else if (offers === undefined) void search(false);
    },
    tryAgain: () => void search(false),
    clear: () => set({ choice: undefined, isChanging: false, notice: undefined }),
    tick() {
      searcher.tick();
      chooser.tick();
    },
    stop() {
      searcher.stop();
      details.stop();
      finder.stop();
      chooser.stop();
    },
  };
}
