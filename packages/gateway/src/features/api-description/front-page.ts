import type { DirectoryTotals } from "../open-directory/builder.ts";
import { escapeHtml, page } from "./html.ts";

/** A page that the program which started the gateway serves beside it, e.g. a shop to try. */
export interface Neighbour {
  /** What it is, e.g. "A shop". */
  readonly label: string;
  /** What to do there, in a sentence. */
  readonly about: string;
  /** An `http` or `https` URL. */
  readonly url: string;
}

/** What the front page of a gateway shows. */
export interface FrontPageFacts {
  /** The live network in numbers. Undefined: it is not published, or cannot be read now. */
  readonly totals: DirectoryTotals | undefined;
  readonly isDirectoryPublished: boolean;
  /** Whether what is published is the test network of a demonstration. */
  readonly isTest: boolean;
  readonly neighbours: readonly Neighbour[];
  /** How many reasons errors have. */
  readonly reasons: number;
}

/** The front page of a gateway, in HTML: what this is, the network in numbers, and where to go on. */
export function frontPage({ totals, isDirectoryPublished, isTest, neighbours, reasons }: FrontPageFacts): string {
  const directory = isDirectoryPublished
    ? link("/feed/v1/manifest.json", "the open directory: sites and free places for everybody") +
      link("/feed/v1/sites.geojson", "the sites as GeoJSON, for maps")
    : "";
  return page(
    "Petak gateway",
    `<main><h1>Petak gateway</h1>
<p>Parcel lockers and collection points, for any courier, shop and consumer: find the nearest that fits, hold a place, deposit, collect.</p>
${isTest ? '<p class="note">This is a demonstration: its operators, sites and parcels are made up.</p>' : ""}
${neighbours.length === 0 ? "" : tryIt(neighbours)}
${totals === undefined ? "" : numbers(totals)}
<h2>Build on it</h2>
<p>It speaks petak.v1 as gRPC, gRPC-Web and Connect on this port, which is plain JSON over HTTP too. Every error carries one of ${reasons} reasons.</p>
<ul>${link("/reference", "the reference of the calls, with an example of each")}${link("/openapi.json", "the same in OpenAPI 3.1")}${directory}</ul>
<h2>Operate it</h2>
<ul>${link("/livez", "whether it lives")}${link("/readyz", "whether it can do its work")}${link("/metrics", "its metrics, for Prometheus")}
${link("/.well-known/petak/jwks.json", "the keys that doors trust")}${link("/.well-known/petak/issuer-keys.json", "all keys that ever signed receipts")}</ul></main>`,
    "front",
  );
}

function tryIt(neighbours: readonly Neighbour[]): string {
  const items = neighbours.map(
    ({ label, about, url }) => `<li><a href="${escapeHtml(url)}">${escapeHtml(label)}</a><span>${escapeHtml(about)}</span></li>`,
  );
  return `<h2>Try it</h2><ul class="facts">${items.join("")}</ul>`;
}

function numbers({ terminals, collectionPoints, operators, sitesKnown, placesFree }: DirectoryTotals): string {
  const fact = (count: number, words: string) => `<li><strong>${count.toLocaleString("en")}</strong>${words}</li>`;
  return `<h2>The network now</h2><ul class="facts">${fact(terminals, "parcel terminals")}${fact(collectionPoints, "stores")}${fact(operators, "operators")}${fact(placesFree, `places free, counts known at ${sitesKnown.toLocaleString("en")} of ${(terminals + collectionPoints).toLocaleString("en")} sites`)}</ul>`;
}

function link(path: string, words: string): string {
  return `<li><a href="${path}">${path}</a>: ${words}</li>`;
}
