import { html, type TemplateResult } from "lit";
import { icon } from "./icon.ts";
import { mark } from "./mark.ts";
import { notice } from "./notice.ts";
import { pill } from "./pill.ts";
import { rows } from "./rows.ts";
import { skeleton } from "./skeleton.ts";

/** All parts on one page, for whoever builds a screen, and for the test that looks at them in both themes. */
export function gallery(): TemplateResult {
  return html`<main class="stack">
    <h1>${mark(40)} Parts</h1>
    <h2>Buttons</h2>
    <button class="button primary" type="button">Agree the count</button>
    <button class="button" type="button">Type the number</button>
    <button class="button danger" type="button">Scanned by mistake</button>
    <button class="button" type="button" disabled>Nothing to send</button>
    <button class="tile primary" type="button">${icon("scan", 40)}<span>Hand over</span></button>
    <button class="tile" type="button">${icon("accept", 36)}<span>Accept</span></button>
    <h2>States</h2>
    <p>${pill("primary", "Online")} ${pill("attention", "Offline · 3 waiting")} ${pill("off", "Network down")} ${pill("error", "Out of order")} <span class="badge">4</span></p>
    ${notice("fact", "4 free that fit · checked 20 s ago")}${notice("attention", "Paused until 22:00. Collections go on.")}${notice("error", "Wrong parcel. Put it back, and take the one shown.")}
    <h2>Lists</h2>
    ${rows([
      { what: "On the shelf", value: 37 },
      { what: "Overdue, for the courier", value: html`<span class="badge">4</span>`, onPress: () => {} },
    ])}
    <button class="tick" type="button" role="checkbox" aria-checked="true"><span>Identity card matches</span>${icon("done")}</button>
    <button class="tick" type="button" role="checkbox" aria-checked="false"><span>45.50 received</span></button>
    <label class="field"><span>Code or number</span><input /></label>
    <h2>Waiting</h2>
    ${skeleton(2)}
    <p class="quiet">Last heard 14 min ago.</p>
  </main>`;
}
