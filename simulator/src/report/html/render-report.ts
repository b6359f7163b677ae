import type { Report } from "../report.ts";
import { contextOf } from "./context.ts";
import { html } from "./markup.ts";
import { page } from "./page.ts";
import { deliverySection, planSection } from "./sections/delivery.ts";
import { demandSection } from "./sections/demand.ts";
import { failuresSection } from "./sections/failures.ts";
import { gatewaySection, loadSection } from "./sections/load.ts";
import { madeSection } from "./sections/made.ts";
import { mapSection } from "./sections/map.ts";
import { placesSection } from "./sections/places.ts";
import { opening, story } from "./sections/story.ts";

const links = [
  ["city", "The city"],
  ["demand", "Demand"],
  ["places", "Sites"],
  ["load", "Speed"],
  ["failures", "Failures"],
  ["delivery", "Delivery"],
  ["made", "How it was made"],
] as const;

/** The report of a run as one HTML file that opens without a network. */
export function renderReport(report: Report): string {
  const context = contextOf(report);
  const map = mapSection(context);
  const delivery = deliverySection(context);
  const shown = links.filter(([id]) => (id !== "city" || map !== false) && (id !== "delivery" || delivery !== false));
  const nav = html`<nav aria-label="Sections"><ul>${shown.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}</ul></nav>`;
  const content = html`<main>${[
    opening(context),
    nav,
    story(context),
    map,
    demandSection(context),
    placesSection(context),
    planSection(context),
    delivery,
    loadSection(context),
    gatewaySection(context),
    failuresSection(context),
    madeSection(context),
  ]}</main>`;
  return page(`${report.run.city}: report of a run`, content, map !== false);
}
