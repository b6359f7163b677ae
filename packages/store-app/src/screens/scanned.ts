import type { App } from "../app/app.ts";
import { scanForDelivery } from "../app/delivery.ts";
import { scanForHandOver } from "../app/hand-over.ts";
import { countLabel } from "../app/shift.ts";
import { go } from "./frame.ts";
import { findParcels } from "./shelf.ts";

/** A scanner that types has sent a code: the screen decides what it is for. On the first screen it is a customer's. */
export function scanned(app: App, code: string): void {
  if (app.counter?.clerk === undefined) return;
  switch (app.route.name) {
    case "today":
      go("hand-over");
      void scanForHandOver(app, code);
      return;
    case "hand-over":
    case "take-in":
      void scanForHandOver(app, code);
      return;
    case "delivery":
      void scanForDelivery(app, code);
      return;
    case "shift":
      countLabel(app, code);
      return;
    case "shelf": {
      const [found, ...others] = findParcels(app.parcels, code);
      if (found !== undefined && others.length === 0) go("parcel", found.reservationId);
      else app.setView({ search: code });
      return;
    }
    default:
      return;
  }
}
