import type { Random } from "../random/random.ts";

/** Somebody, and where they live. */
export interface Person {
  /** An opaque name, the same whenever this person is drawn. */
  readonly person: string;
  /** Degrees, rounded to 1e-6. */
  readonly latitude: number;
  readonly longitude: number;
}

/** The people of a city. */
export interface People {
  /** How many there are: a number above 0. */
  readonly residents: number;
  /** Draws one of them, each with the same probability. */
  draw(random: Random): Person;
}

/** The name of the n-th of the people who live at a place. A place of fewer than one has one. */
export function drawPersonAt(place: number, residents: number, random: Random): string {
  return `${place}-${Math.floor(random.next() * Math.max(1, residents))}`;
}
