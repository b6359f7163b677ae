import { describe, expect, it } from "vitest";
import { countryOf } from "./country-of.ts";

describe("the country of a point", () => {
  it.each([
    ["the southern shore of Johor Bahru", 1.4555, 103.764, "MY"],
    ["Woodlands, across the strait from it", 1.4469, 103.769, "SG"],
    ["the north of Batam", 1.13, 104.05, "ID"],
    ["Sentosa", 1.2494, 103.8303, "SG"],
    ["Labuan, off Borneo", 5.28, 115.24, "MY"],
    ["Bandar Seri Begawan", 4.9, 114.94, "BN"],
    ["Dili", -8.55, 125.57, "TL"],
    ["Nong Khai, on the Mekong", 17.878, 102.742, "TH"],
    ["Vientiane, across it", 17.966, 102.614, "LA"],
    ["Aranyaprathet", 13.69, 102.5, "TH"],
    ["Poipet, beyond the border post", 13.657, 102.563, "KH"],
    ["the Vatican", 41.903, 12.4534, "VA"],
    ["a Belgian enclave in the Netherlands", 51.4409, 4.9296, "BE"],
    ["Fiji, east of the antimeridian", -16.75, -179.95, "FJ"],
  ])("%s", (_name, latitude, longitude, country) => {
    expect(countryOf({ latitude, longitude })).toBe(country);
  });

  it("is the territory if that has its own code, and otherwise the state", () => {
    expect(countryOf({ latitude: 22.4, longitude: 114.1 })).toBe("HK");
    expect(countryOf({ latitude: -21.1, longitude: 55.5 })).toBe("RE");
    expect(countryOf({ latitude: 28.1, longitude: -15.4 })).toBe("ES");
  });

  it("is undefined on the high seas, also at the antimeridian, and at the north pole", () => {
    for (const [latitude, longitude] of [
      [0, -140],
      [0, 180],
      [0, -180],
      [90, 0],
    ] as const) {
      expect(countryOf({ latitude, longitude })).toBeUndefined();
    }
  });
});
