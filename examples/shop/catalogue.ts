/** Something to buy, which comes in one parcel. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly price: string;
  /** The packed parcel, outside, in mm and g: it decides which places fit. */
  readonly parcel: { readonly widthMm: number; readonly heightMm: number; readonly depthMm: number; readonly massG: number };
}

export const products: readonly Product[] = [
  {
    id: "teapot",
    name: "Clay teapot",
    description: "Unglazed, for two cups.",
    price: "S$ 38.00",
    parcel: { widthMm: 240, heightMm: 150, depthMm: 180, massG: 900 },
  },
  {
    id: "lamp",
    name: "Rattan lamp",
    description: "Woven in Cirebon, with two metres of cord.",
    price: "S$ 64.00",
    parcel: { widthMm: 300, heightMm: 180, depthMm: 380, massG: 2100 },
  },
  {
    id: "kite",
    name: "Wau bulan kite",
    description: "A metre of moon, folded. Only large compartments take it.",
    price: "S$ 52.00",
    parcel: { widthMm: 400, heightMm: 350, depthMm: 450, massG: 3200 },
  },
];

/** A place from which the nearest collection points are shown. */
export interface Town {
  readonly name: string;
  /** Degrees. */
  readonly latitude: number;
  /** Degrees. */
  readonly longitude: number;
}

/** The towns that this shop knows, the first by default. It is a fixed list: a real shop asks its address service. */
export const towns: readonly [Town, ...Town[]] = [
  { name: "Singapore", latitude: 1.3521, longitude: 103.8198 },
  { name: "Kuala Lumpur", latitude: 3.139, longitude: 101.6869 },
  { name: "Jakarta", latitude: -6.2088, longitude: 106.8456 },
  { name: "Surabaya", latitude: -7.2575, longitude: 112.7521 },
  { name: "Bangkok", latitude: 13.7563, longitude: 100.5018 },
  { name: "Manila", latitude: 14.5995, longitude: 120.9842 },
  { name: "Ho Chi Minh City", latitude: 10.7769, longitude: 106.7009 },
  { name: "Hanoi", latitude: 21.0278, longitude: 105.8342 },
  { name: "Phnom Penh", latitude: 11.5564, longitude: 104.9282 },
  { name: "Yangon", latitude: 16.8409, longitude: 96.1735 },
];
