import type { Point } from "../map/picker-map.ts";

/** Asks the browser where the shopper is, to some hundred metres and at most a minute ago. @throws if it does not say */
export function locate(): Promise<Point> {
  return new Promise((resolve, reject) => {
    const found = ({ coords: { latitude, longitude } }: GeolocationPosition): void => resolve({ latitude, longitude });
    const refused = ({ message }: GeolocationPositionError): void => reject(new Error(message));
    if (navigator.geolocation === undefined) reject(new Error("this page is not secure"));
    else navigator.geolocation.getCurrentPosition(found, refused, { maximumAge: 60_000, timeout: 15_000 });
  });
}
