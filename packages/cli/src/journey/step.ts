import type { Presentation } from "@petak/agent";
import type { Bundle, Event, IssueCredentialResponse, Reservation, SiteOption, SiteSummary } from "@petak/protocol";

/** The act for which a door opens. */
export type JourneyAct = "deposit" | "collect" | "recall" | "service";

/** The kind of a presented credential. */
export type ShownAs = "access token" | "PIN" | "access token and proof of presence";

/** A completed step of a journey. */
export type Step =
  | { step: "options found"; options: SiteOption[] }
  | { step: "place held"; reservation: Reservation; site: SiteSummary | undefined; distanceM: number }
  | { step: "confirmed"; reservation: Reservation }
  | { step: "bundled"; bundle: Bundle }
  | { step: "credential issued"; act: JourneyAct; credential: IssueCredentialResponse }
  | { step: "terminal ready"; siteId: string; compartments: number }
  | { step: "device enrolled"; siteId: string; keyId: string }
  | { step: "program ready"; siteId: string; doors: number }
  | { step: "counter open"; siteId: string; places: number; url: string }
  | { step: "clerk signed in"; clerkId: string }
  | { step: "taken in"; by: ShownAs; shelfPlace: string }
  | { step: "handed over"; by: ShownAs; shelfPlace: string }
  | { step: "link cut" }
  | { step: "not heard of"; reservation: Reservation }
  | { step: "link restored" }
  | { step: "door opened"; act: JourneyAct; by: ShownAs; presentation: Presentation & { opened: true } }
  | { step: "deposited"; reservation: Reservation }
  | { step: "closed after service"; reservation: Reservation }
  | { step: "collected"; reservation: Reservation }
  | { step: "recalled"; reservation: Reservation }
  | { step: "custody chain"; reservation: Reservation; events: Event[] };
