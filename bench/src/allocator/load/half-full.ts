/**
 * Places of the requested size in a network of which every other site is full from the start. A network too large to hold a place at each
 * site uses full sites without places of that size: the index has one byte for what is free, whatever the reason.
 */
export function largePlacesOfHalf(index: number): number {
  return index % 2;
}
