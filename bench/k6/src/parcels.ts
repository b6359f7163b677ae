/** A parcel's outer measures. */
export interface Parcel {
  readonly widthMm: number;
  readonly heightMm: number;
  readonly depthMm: number;
  readonly massG: number;
}

const small: Parcel = { widthMm: 250, heightMm: 60, depthMm: 180, massG: 500 };
const medium: Parcel = { widthMm: 300, heightMm: 150, depthMm: 400, massG: 1500 };
const large: Parcel = { widthMm: 380, heightMm: 300, depthMm: 440, massG: 5000 };

/** A small parcel (55 %), a medium one (30 %) or a large one. @param random numbers in [0, 1) */
export function someParcel(random: () => number): Parcel {
  const draw = random();
  if (draw < 0.55) return small;
  return draw < 0.85 ? medium : large;
}
