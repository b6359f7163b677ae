/** Where the focus goes when the control that had it goes away: the first that is there, of those for the part in which it was. */
const heirs: readonly (readonly [part: string, selectors: readonly string[]])[] = [
  // Not to the hour before them: on a telephone its clock would open.
  [".opener", ["button.rare"]],
  [".head", ["#address", ".head button"]],
  [".picker", [".place input:checked", ".places", "#chosen"]],
];

/**
 * Draws, and keeps the focus in the picker: a control that goes away or is disabled when it was pressed would take the focus with it, and who works by keyboard
 * would start again at the top of the page.
 */
export function keepFocus(root: ShadowRoot, draw: () => void): void {
  const before = root.activeElement;
  const [, selectors = []] = heirs.find(([part]) => before?.closest(part)) ?? [];
  draw();
  if (before === null || (before.isConnected && before.checkVisibility() && !before.matches(":disabled"))) return;
  for (const selector of selectors) {
    const heir = [...root.querySelectorAll<HTMLElement>(selector)].find((each) => !each.matches(":disabled") && each.checkVisibility());
    if (heir === undefined) continue;
    heir.focus();
    return;
  }
}
