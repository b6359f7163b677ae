import { X509Certificate } from "node:crypto";

const head =
  '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Certificate</title><link rel="icon" href="/mark.svg" type="image/svg+xml"><link rel="stylesheet" href="/app.css">';

/** The page that helps to install the authority of a store on a tablet, in HTML. @param ca the authority in PEM; undefined: the server has none of its own */
export function certificatePage(ca: string | undefined): string {
  if (ca === undefined) {
    return `${head}<main class="stack narrow"><h1>No certificate</h1><p>This agent has made no certificate. On its device run <code>petak agent certificate</code> and start the agent again. If it has one from your own authority, tablets that know that authority need nothing more.</p></main>`;
  }
  const fingerprint = new X509Certificate(ca).fingerprint256;
  return `${head}<main class="stack narrow"><h1>Install the store’s certificate</h1>
<p>Once for each tablet. It lets this tablet use its camera here, and work while the agent cannot be reached. It is good for this store’s device and for no site on the internet.</p>
<p><a class="button primary" href="/ca.crt">Get the certificate</a></p>
<h2>Android</h2>
<ol><li>Get the certificate.</li><li>Settings, Security, Encryption &amp; credentials, Install a certificate, CA certificate.</li><li>Choose <code>ca.crt</code>.</li></ol>
<h2>iPad and iPhone</h2>
<ol><li>Get the certificate in Safari, and allow the profile.</li><li>Settings, Profile downloaded, Install.</li><li>Settings, General, About, Certificate Trust Settings: switch it on.</li></ol>
<h2>Is it the right one?</h2>
<p>The tablet shows a SHA-256 before it trusts the certificate. It must be this, and what <code>petak agent certificate</code> printed on the device:</p>
<p><code>${fingerprint.replaceAll(":", " ")}</code></p>
<p>Then open the store’s address again.</p></main>`;
}
