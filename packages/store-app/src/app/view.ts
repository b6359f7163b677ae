/** What is typed and chosen on the screen, and is gone with the page. */
export interface View {
  /** Whether the field for codes is shown beside a camera. */
  readonly isTyping: boolean;
  /** Sign-in: the chosen clerk. Empty: none. */
  readonly clerkId: string;
  /** Sign-in: the digits so far. */
  readonly pin: string;
  /** Sign-in: what came of the last attempt. */
  readonly signIn?: { readonly isWrong?: boolean; readonly lockedUntilMs?: number; readonly isUnreachable?: boolean };
  /** Shelf: the end of a label. */
  readonly search: string;
  /** Parcel: the new place. Undefined: no field is shown. */
  readonly newPlace?: string;
  /** Capacity: until when it closes, `HH:MM`. Undefined: no field is shown. */
  readonly closeUntil?: string;
  /** The owner is asked whether the lease of a lost tablet is taken back. */
  readonly isTakingBack?: boolean;
  /** Shift: a number that was typed is none. */
  readonly isBadNumber?: boolean;
}

export const newView: View = { isTyping: false, clerkId: "", pin: "", search: "" };
