/** The names of the keys under which participants are kept. No other module spells one. */
export interface ParticipantKeys {
  /** Set of all participant ids. */
  participants(): string;
  participant(participantId: string): string;
  /** Set of the ids of a participant's keys, publishable ones too. */
  keysOf(participantId: string): string;
  key(keyId: string): string;
  publishableKey(publishableKey: string): string;
}

/** Key names under a prefix. */
export function createParticipantKeys(prefix: string): ParticipantKeys {
  return {
    participants: () => `${prefix}:participants`,
    participant: (participantId) => `${prefix}:participant:${participantId}`,
    // Not below the participant's own key: callers choose what they ask for, and some text would name the set.
    keysOf: (participantId) => `${prefix}:participant-keys:${participantId}`,
    key: (keyId) => `${prefix}:key:${keyId}`,
    publishableKey: (publishableKey) => `${prefix}:publishable-key:${publishableKey}`,
  };
}
