import type { PublishedFiles } from "../open-directory/builder.ts";
import type { DirectoryOptions } from "../open-directory/options.ts";
import { escapeHtml, page } from "./html.ts";
import { networkNow } from "./network-now.ts";

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
  /** The network as it is published. Undefined: it is not, or cannot be read now. */
  readonly files: PublishedFiles | undefined;
  /** Under which licence it is published. Undefined: it is not. */
  readonly directory: Pick<DirectoryOptions, "licence" | "publisher"> | undefined;
  /** Whether what is published is the test network of a demonstration. */
  readonly isTest: boolean;
  readonly neighbours: readonly Neighbour[];
  /** How many reasons errors have. */
  readonly reasons: number;
}

/** The front page of a gateway, in HTML: what this is, the network in numbers, and where to go on. */
export function frontPage({ files, directory, isTest, neighbours, reasons }: FrontPageFacts): string {
  const feed = directory
    ? link("/feed/v1/manifest.json", "the open directory: sites and free places for everybody") +
      link("/feed/v1/sites.geojson", "the sites as GeoJSON, for maps")
    : "";
  return page(
    "Petak gateway",
    `<main><h1>Petak gateway</h1>
<p>Parcel lockers and collection points, for any courier, shop and consumer: find the nearest that fits, hold a place, deposit, collect.</p>
${isTest ? '<p class="note">This is a demonstration: its operators, sites and parcels are made up.</p>' : ""}
${neighbours.length === 0 ? "" : tryIt(neighbours)}
${files === undefined || directory === undefined ? "" : networkNow(files, directory)}
<h2>Build on it</h2>
<p>It speaks petak.v1 as gRPC, gRPC-Web and Connect on this port, which is plain JSON over HTTP too. Every error carries one of ${reasons} reasons.</p>
<ul>${link("/reference", "the reference of the calls, with an example of each")}${link("/openapi.json", "the same in OpenAPI 3.1")}${feed}</ul>
<h2>Operate it</h2>
<ul>${link("/livez", "whether it lives")}${link("/readyz", "whether it can do its work")}
${link("/.well-known/petak/jwks.json", "the keys that doors trust")}${link("/.well-known/petak/issuer-keys.json", "all keys that ever signed receipts")}</ul></main>`,
    "front",
  );
}

function tryIt(neighbours: readonly Neighbour[]): string {
  const items = neighbours.map(
    ({ label, about, url }) => `<li><a href="${escapeHtml(url)}">${escapeHtml(label)}</a><span>${escapeHtml(about)}</span></li>`,
  );
  return `<h2>Try it</h2><ul class="facts wide">${items.join("")}</ul>`;
}

function link(path: string, words: string): string {
  return `<li><a href="${path}">${path}</a>: ${words}</li>`;
}
