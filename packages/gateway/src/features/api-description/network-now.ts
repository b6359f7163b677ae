import type { DirectoryTotals, PublishedFiles } from "../open-directory/builder.ts";
import type { NetworkOverview, SiteSums } from "../open-directory/network-overview.ts";
import type { DirectoryOptions } from "../open-directory/options.ts";
import { escapeHtml } from "./html.ts";
import { mapLegend, networkMap } from "./network-map.ts";

/** The section of the front page that shows the network as of the files: in numbers, on a map, and by country or town. */
export function networkNow(
  { totals, overview, builtMs }: Pick<PublishedFiles, "totals" | "overview" | "builtMs">,
  { licence, publisher }: Pick<DirectoryOptions, "licence" | "publisher">,
): string {
  const source = publisher === "" ? "" : ` Source: ${publisher}.`;
  const time = new Date(builtMs).toISOString();
  const figure =
    overview === undefined
      ? ""
      : `<figure>${networkMap(overview)}<figcaption>${mapLegend(overview)}</figcaption></figure>${table(overview)}`;
  return `<h2>The network now</h2>${numbers(totals)}
${figure}
<p class="quiet">As of <time datetime="${time}">${time.slice(0, 16).replace("T", ", ")} UTC</time>. Open data under ${escapeHtml(licence)}.${escapeHtml(source)}</p>`;
}

function numbers({ terminals, collectionPoints, operators, sitesKnown, placesFree }: DirectoryTotals): string {
  const fact = (count: number, words: string) => `<li><strong>${count.toLocaleString("en")}</strong>${words}</li>`;
  return `<ul class="facts">${fact(terminals, "parcel terminals")}${fact(collectionPoints, "stores")}${fact(operators, "operators")}${fact(placesFree, `places free, counts known at ${sitesKnown.toLocaleString("en")} of ${(terminals + collectionPoints).toLocaleString("en")} sites`)}</ul>`;
}

const countryNames = new Intl.DisplayNames("en", { type: "region" });

/** The largest countries or towns: what the map shows, for those who cannot see it. */
function table({ partKind, parts, partsLeft }: NetworkOverview): string {
  const nameOf = (name: string) => {
    if (name === "") return "elsewhere";
    return partKind === "country" ? (countryNames.of(name) ?? name) : name;
  };
  const rows = parts.map(
    (part) =>
      `<tr><th scope="row"><bdi>${escapeHtml(nameOf(part.name))}</bdi></th><td>${part.sites.toLocaleString("en")}</td><td>${free(part)}</td></tr>`,
  );
  const words = partKind === "country" ? (["Countries", "Country"] as const) : (["Towns", "Town"] as const);
  const left = partsLeft === 0 ? "" : `<p class="quiet">And ${partsLeft.toLocaleString("en")} more with fewer sites.</p>`;
  return `<table><caption>${words[0]} with the most sites</caption><thead><tr><th scope="col">${words[1]}</th><th scope="col">Sites</th><th scope="col">Places free</th></tr></thead><tbody>${rows.join("")}</tbody></table>${left}`;
}

function free({ sites, sitesKnown, placesFree }: SiteSums): string {
  if (sitesKnown === 0) return "not known";
  const places = placesFree.toLocaleString("en");
  return sitesKnown === sites ? places : `${places}, known at ${sitesKnown.toLocaleString("en")} of ${sites.toLocaleString("en")}`;
}
