import type { Allocator } from "@petak/records";

/** The exact search for sites, over the index. */
export type SiteSearch = Pick<Allocator, "nearest" | "passedOver" | "forget">;

/** What ends a search that goes far: it throws the signal's reason. The signal is read only when a search does. */
export interface SearchCall {
  readonly signal: AbortSignal;
}
