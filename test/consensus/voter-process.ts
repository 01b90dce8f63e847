import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { failure, type Outcome } from "../../machines/failure.ts";
import type { DistantReplica } from "../../src/consensus/elsewhere/distant.ts";
import { readMessage, type ReplicaMessage } from "../../src/consensus/bft/wire.ts";
import { verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { joinAsParticipant, type ParticipantPorts } from "../../src/consensus/participant/participant.ts";
import type { Participant, Voter } from "../../src/consensus/voter.ts";

/** Nothing but plain JSON goes over a link. */
function copy<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value);
}

const fell = { ok: false, failure: failure("remote/indeterminate", "the node fell") } as const;

type Life = Participant & { readonly replica: DistantReplica };

/** A voter in a process of its own, as far as one process can show that: it falls with everything but its store. */
export class VoterProcess implements Participant {
  readonly member: Voter["member"];
  /** Votes that left it or were about to, in all of its lives. */
  readonly signed: Vote[] = [];
  /** Hears what leaves it; where it falls here, the answer that it is in is lost. */
  heard: (message: ReplicaMessage) => void = () => undefined;
  readonly #voter: Voter;
  #life: Life | undefined;
  #fall = new AbortController();

  constructor(voter: Voter, ports: ParticipantPorts) {
    this.#voter = voter;
    this.member = voter.member;
    this.begin(ports);
  }

  begin(ports: ParticipantPorts): void {
    this.#fall = new AbortController();
    this.#life = joinAsParticipant(this.#voter, verifyEd25519, ports);
  }

  fall(): void {
    this.#life?.replica.leave();
    this.#life = undefined;
    this.#fall.abort();
  }

  vote(...[invitation, context]: Parameters<Participant["vote"]>): ReturnType<Participant["vote"]> {
    return this.#ask((life) => life.vote(copy(invitation), context));
  }

  readonly replica: DistantReplica = {
    join: (summons, context) => this.#ask(({ replica }) => replica.join(copy(summons), context)),
    say: (said) => this.#life?.replica.say(copy(said)),
    listen: async (decision, context) => {
      const { signal } = this.#fall;
      const outcome = await this.#ask(({ replica }) => replica.listen(decision, context));
      if (outcome.ok) this.#note(outcome.value as { letters: { message: unknown }[] }, signal);
      return signal.aborted ? fell : outcome;
    },
    leave: (decision) => this.#life?.replica.leave(decision),
  };

  #note({ letters }: { readonly letters: readonly { readonly message: unknown }[] }, fallen: AbortSignal): void {
    for (const { message } of letters) {
      if (fallen.aborted) return;
      const said = readMessage(message);
      if (said?.type === "vote") this.signed.push(said.vote);
      if (said !== undefined) this.heard(said);
    }
  }

  async #ask<Value>(work: (life: Life) => Promise<Outcome<Value>>): Promise<Outcome<Value>> {
    const life = this.#life;
    const { signal } = this.#fall;
    if (life === undefined) return { ok: false, failure: failure("remote/unreachable", "there is no such node now") };
    const fallen = new Promise<Outcome<Value>>((resolve) => signal.addEventListener("abort", () => resolve(fell)));
    return copy(await Promise.race([work(life), fallen]));
  }
}
