/** Collects the values of an option that may be repeated. */
export function collectText(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}
