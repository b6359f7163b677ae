/**
 * Places of the size asked for in a network of which half is full from the start, every other site. Where there are too many sites to hold a
 * place at each, the full ones have none of that size: the index has one byte for what is free, whatever the reason.
 */
export function largePlacesOfHalf(index: number): number {
  return index % 2;
}
