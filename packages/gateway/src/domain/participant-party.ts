import { create } from "@bufbuild/protobuf";
import { type Party, PartyKind, PartySchema } from "@petak/protocol";

/** A participant as a party to a reservation, or as who acts. */
export function participantParty({ participantId }: { participantId: string }): Party {
  const party = create(PartySchema);
  party.kind = PartyKind.PARTICIPANT;
  party.participantId = participantId;
  return party;
}
