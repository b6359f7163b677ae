import { randomUUID } from "node:crypto";
import type { SiteOption } from "@petak/protocol";
import { type Product, products, type Town, towns } from "./catalogue.ts";
import { html, type Markup } from "./html.ts";

/** What the pages know of the gateway. */
export interface Gateway {
  /** Its address for browsers. */
  readonly gatewayUrl: string;
  /** Reads the directory, for the picker. It belongs to the participant whose key the server has. */
  readonly publishableKey: string;
}

/** @param news of a page that asks for news: changes when there are any */
export function page(title: string, body: Markup, news?: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Pasar Kecil</title>
<link rel="icon" href="/mark.svg">
<link rel="stylesheet" href="/shop.css">
<script type="module" src="/shop.js"></script>
</head>
<body>
<header><a class="brand" href="/"><img src="/mark.svg" width="32" height="32" alt="">Pasar Kecil</a></header>
<main${news === undefined ? "" : html` data-news="${news}"`}>${body}</main>
<p id="news" class="for-readers" role="status"></p>
<footer>A demonstration of Petak: nothing is sold, and no money moves.</footer>
</body>
</html>
`.toString();
}

export const notice = (kind: "attention" | "error" | "fact", text: string): Markup =>
  html`<p class="notice ${kind}"${kind === "error" && html` role="alert"`}>${text}</p>`;

export function problemPage(title: string, text: string): string {
  return page(title, html`<h1>${title}</h1>${notice("error", text)}<p><a class="button narrow" href="/">To the shop</a></p>`);
}

const size = ({ parcel: { widthMm, heightMm, depthMm, massG } }: Product): string =>
  `${widthMm / 10} × ${heightMm / 10} × ${depthMm / 10} cm, ${massG / 1000} kg`;

export function cataloguePage(): string {
  const cards = products.map(
    (product) => html`<li class="card">
  <h2>${product.name}</h2>
  <p>${product.description}</p>
  <p><span class="price">${product.price}</span><br><span class="quiet">Parcel ${size(product)}</span></p>
  <a class="button primary" href="/checkout?product=${product.id}">Buy the ${product.name}</a>
</li>`,
  );
  return page("Shop", html`<h1>Small things, collected near you</h1><ul class="products">${cards}</ul>`);
}

/** What is asked of a checkout page. */
export interface Checkout {
  product: Product;
  town: Town;
  /** As typed before. */
  buyer: string;
  /** Why the order was not placed. */
  problem: string | undefined;
  /** The places, for a page without scripts. Undefined: the picker looks for them. */
  places?: readonly SiteOption[];
}

export function checkoutPage({ product, town, buyer, problem, places }: Checkout, { gatewayUrl, publishableKey }: Gateway): string {
  const { widthMm, heightMm, depthMm, massG } = product.parcel;
  const choices = towns.map(
    ({ name, latitude, longitude }) =>
      html`<option data-latitude="${latitude}" data-longitude="${longitude}"${name === town.name && html` selected`}>${name}</option>`,
  );
  const picker = html`<petak-picker name="place" required gateway="${gatewayUrl}" publishable-key="${publishableKey}" point="${town.latitude},${town.longitude}"
  width-mm="${widthMm}" height-mm="${heightMm}" depth-mm="${depthMm}" mass-g="${massG}"></petak-picker>
<script type="module" src="/picker/petak-picker.js"></script>
<noscript><p class="notice fact"><span>The map needs scripts. <a href="/checkout?product=${product.id}&amp;near=${town.name}&amp;list=1">Choose from a list</a></span></p></noscript>`;
  const isList = places !== undefined && html`<input type="hidden" name="list" value="1">`;
  const body = html`<h1>Checkout</h1>
${problem !== undefined && notice("error", problem)}
<p><strong>${product.name}</strong>, ${product.price}<br><span class="quiet">Parcel ${size(product)}</span></p>
<form class="beside" action="/checkout">
  <input type="hidden" name="product" value="${product.id}">${isList}
  <label class="field"><span>Collect near <span class="quiet">(or type a postal code of Singapore)</span></span><select id="town" name="near">${choices}</select></label>
  <button class="button">Show places</button>
</form>
<form action="/orders" method="post">
  <input type="hidden" name="form" value="${randomUUID()}">
  <input type="hidden" name="product" value="${product.id}">
  <input type="hidden" name="near" value="${town.name}">${isList}
  ${places === undefined ? picker : placeList(places, problem)}
  <label class="field narrow"><span>Your name</span><input name="buyer" required maxlength="100" autocomplete="name" value="${buyer}"></label>
  <button class="button primary narrow">Order</button>
</form>`;
  return page("Checkout", body);
}

function placeList(places: readonly SiteOption[], problem: string | undefined): Markup | undefined {
  if (places.length === 0)
    return problem === undefined ? notice("attention", "No place near there takes this parcel now. Choose another town.") : undefined;
  const rows = places.map(
    (
      { site, distanceM, freeToPromise },
      index,
    ) => html`<label class="place"><input type="radio" name="place" required value="${site?.siteId}"${index === 0 && html` checked`}>
  <span><strong>${site?.name}</strong><br><span class="quiet">${distance(distanceM)} · ${freeToPromise} free that fit · ${site?.address?.lines.join(", ")}</span></span></label>`,
  );
  return html`<fieldset class="rows"><legend class="for-readers">Place to collect</legend>${rows}</fieldset>`;
}

export const distance = (metres: number): string =>
  metres < 1000 ? `${Math.max(10, Math.round(metres / 10) * 10)} m` : `${(metres / 1000).toFixed(1)} km`;
