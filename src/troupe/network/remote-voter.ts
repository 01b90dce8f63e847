import { z } from "zod";
import type { SignedReceipt } from "../../../machines/consensus/codec/messages.ts";
import type { Member } from "../../../machines/consensus/electorate/electorate.ts";
import { failure, type Outcome } from "../../../machines/failure.ts";
import type { HandlerContext } from "../../agent/context.ts";
import { defineAgent, type AgentDefinition } from "../../agent/define.ts";
import type { DistantReplica, Place, Said, Summons } from "../../consensus/elsewhere/distant.ts";
import { listenMs } from "../../consensus/elsewhere/outgoing.ts";
import { seatsMax } from "../../consensus/elsewhere/seats.ts";
import type { Way, WayPorts } from "../../consensus/elsewhere/ways.ts";
import { joinAsParticipant } from "../../consensus/participant/participant.ts";
import type { Invitation, Participant, Vote, Voter } from "../../consensus/voter.ts";
import type { Sealed } from "../../consensus/secrecy/sealed-vote.ts";
import type { AgentRef } from "../../dispatch/ref.ts";
import type { Store } from "../../ports/store.ts";
import type { RemotePeer } from "./doors.ts";
import { routes } from "./place.ts";

/** How long a voter behind a wire may take; the vote's own deadline comes first where it is shorter. */
const voteTimeoutMs = 600_000;
/** Sessions over which a voter behind a wire is asked one question; when the last one ends too, it is absent. */
export const voteSessionsMax = 32;
/** How long a replica elsewhere may take to open its vote store, in milliseconds. */
const joinTimeoutMs = 30_000;
/** What an answer may take on the way, in milliseconds, besides the wait for something to say. */
const answerMs = 10_000;
/** Votes and commitments that one voter works on at once, besides one waiting call for each agreement it takes part in. */
const votesAtOnceMax = 8;

const anything = z.unknown();

/** How a voter's agent is called, and where it keeps what it signs. */
export interface VoterAgentOptions {
  /** Default "voter"; several voters of one troupe need several. */
  readonly name?: string;
  /**
   * Where ballots and votes are written before anybody sees them, so that a voter that falls and comes back signs
   * nothing twice: `troupe.store`, of a troupe with a store file. Without it they last as long as the process, and in
   * mode bft it stays silent in decisions that it has forgotten.
   */
  readonly store?: Pick<Store, "append" | "read">;
  /**
   * The nodes that this one is connected to: in mode bft its replica tells voters there straight, and all others through
   * the one that asks. Default: everybody through the one that asks.
   */
  readonly peers?: () => readonly RemotePeer[];
}

/** The straight way to a voter's agent, as long as its node is among the peers and connected. */
function wayThrough(peers: () => readonly RemotePeer[], { node, path }: Place): Way {
  let known: { readonly peer: RemotePeer; readonly ref: AgentRef } | undefined;
  const refNow = (): AgentRef | undefined => {
    const peer = known?.peer.node === node ? known.peer : peers().find((each) => each.node === node);
    if (peer?.state !== "up") return (known = undefined);
    known = known?.peer === peer ? known : { peer, ref: peer.ref(path) };
    return known.ref;
  };
  return {
    async ask(said) {
      const outcome = await refNow()?.call("decision.say", plain(said), { timeoutMs: answerMs });
      return outcome?.ok === true && outcome.value === true;
    },
    say: (said) => refNow()?.tell("decision.say", said) === "accepted",
  };
}

/**
 * An agent that votes for a voter of this process, whose key never leaves it. Spawn it, and let the coordinator's node
 * reach it; there `voterAt` makes a voter of its ref. It checks what it is asked as `joinAsParticipant` does. In mode
 * bft the voter's replica runs in it.
 * @example
 * ```ts
 * import { createMember, createTroupe, voterAgent } from "troupe";
 * const { member, signer } = createMember({ id: "security" });
 * await using troupe = await createTroupe({ node: "security" });
 * const opine = async () => ({
 *   ok: true as const,
 *   value: { recommendation: "yes", confidence: 0.9, reasoning: "It is sound.", concerns: [], alternatives: [] },
 * });
 * await troupe.spawn(voterAgent({ member, signer, opine }));
 * const listener = await troupe.listen({ port: 0 });
 * console.log(listener.url, member.publicKey);
 * ```
 */
export function voterAgent(voter: Voter, options: VoterAgentOptions = {}): AgentDefinition {
  const { name = "voter", peers, ...ports } = options;
  const wayTo: WayPorts["wayTo"] = (place) => (peers === undefined ? undefined : wayThrough(peers, place));
  const participant = joinAsParticipant(voter, undefined, { ...ports, wayTo });
  const { replica } = participant;
  const answer = async (
    invitation: unknown,
    context: Pick<HandlerContext<unknown>, "signal" | "fail">,
    how: "vote" | "commit",
  ): Promise<unknown> => {
    const act = participant[how];
    if (act === undefined) return context.fail("consensus/bad-proposal", "this voter makes no commitments");
    const outcome = await act(invitation as Invitation, { signal: context.signal });
    return outcomeOf(outcome, context);
  };
  return defineAgent({
    name,
    capabilities: {
      "decision.vote": { input: anything, output: anything, run: (context) => answer(context.input, context, "vote") },
      "decision.commit": {
        input: anything,
        output: anything,
        run: (context) => answer(context.input, context, "commit"),
      },
      "decision.receipt": {
        input: anything,
        output: anything,
        run: ({ input }) => participant.acknowledge?.(input as SignedReceipt),
      },
      "decision.join": {
        input: anything,
        output: anything,
        run: async (context) => outcomeOf(await replica.join(context.input as Summons, context), context),
      },
      "decision.say": { input: anything, output: anything, run: ({ input }) => replica.say(input as Said) },
      "decision.listen": {
        input: z.string(),
        output: anything,
        run: async (context) => outcomeOf(await replica.listen(context.input, context), context),
      },
      "decision.leave": { input: z.string(), output: anything, run: ({ input }) => replica.leave(input) },
    },
    stop: () => replica.leave(),
    concurrency: votesAtOnceMax + seatsMax,
  });
}

function outcomeOf(outcome: Outcome<unknown>, context: Pick<HandlerContext<unknown>, "fail">): unknown {
  if (outcome.ok) return outcome.value;
  const { code, message, data } = outcome.failure;
  return context.fail(code, message, data);
}

/** Plain JSON, whatever objects of this process it was made of. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** The replica behind a ref: calls for what needs an answer, tells for what the protocol says again. */
function replicaAt(ref: AgentRef): DistantReplica {
  return {
    at: { node: ref.node, path: ref.path },
    join: (summons, { signal }) => ref.call("decision.join", plain(summons), { signal, timeoutMs: joinTimeoutMs }),
    say: (said) => void ref.tell("decision.say", said),
    listen: (decision, { signal }) => ref.call("decision.listen", decision, { signal, timeoutMs: listenMs + answerMs }),
    leave: (decision) => void ref.tell("decision.leave", decision),
  };
}

interface Question {
  readonly capability: string;
  readonly invitation: unknown;
  readonly signal: AbortSignal;
}

/**
 * Asks until there is an answer: where the session ends before, again over the next one, as long as the signal lets it.
 * The other side answers a repeated question as it answered the first; but a node that was started anew knows nothing
 * of the first, and could sign a second ballot. It is asked again only where the first question cannot have reached it.
 * A node that has left in good order is not waited for: it comes back as another start, or late.
 */
async function askVoter(ref: AgentRef, { capability, invitation, signal }: Question): Promise<Outcome<unknown>> {
  const route = routes.get(ref);
  /** The start of the node that a question may have reached. */
  let reached: string | undefined;
  for (let sessions = 1; ; sessions += 1) {
    const inc = route?.inc();
    const outcome = await ref.call(capability, invitation, { signal, timeoutMs: voteTimeoutMs });
    if (outcome.ok || route === undefined || sessions >= voteSessionsMax) return outcome;
    const { code } = outcome.failure;
    if (code !== "remote/indeterminate" && code !== "remote/unreachable") return outcome;
    if (code === "remote/indeterminate") {
      if (route.hasLeft()) return outcome;
      reached ??= inc;
    }
    try {
      await route.ready(signal);
    } catch {
      return outcome;
    }
    if (reached !== undefined && route.inc() !== reached) return outcome;
  }
}

/**
 * A voter in another process, as `troupe.decide` takes it. Where the session with it ends before its answer is here, it
 * is asked again over the next one; it answers the same. `member` is its entry of the electorate, which its owner has
 * given you: the public key in it, not the connection, says whose ballot counts.
 * @example
 * ```ts
 * import { createTroupe, voterAt, type Member } from "troupe";
 * declare const security: Member;
 * await using troupe = await createTroupe({ node: "chair" });
 * const peer = await troupe.connect("ws://127.0.0.1:7700/");
 * const decision = await troupe.decide({
 *   question: "Ship it?",
 *   options: ["yes", "no"],
 *   voters: [voterAt(peer.ref("/voter/1"), security)],
 * });
 * console.log(decision.status);
 * ```
 */
export function voterAt(ref: AgentRef, member: Member): Participant {
  const ask = (capability: string, invitation: Invitation, signal: AbortSignal): Promise<Outcome<unknown>> => {
    return askVoter(ref, { capability, invitation: plain(invitation), signal });
  };
  return {
    member,
    replica: replicaAt(ref),
    async vote(invitation, { signal }) {
      const outcome = await ask("decision.vote", invitation, signal);
      if (!outcome.ok) return outcome;
      if (typeof outcome.value === "object" && outcome.value !== null)
        return { ok: true, value: outcome.value as Vote | Sealed };
      return { ok: false, failure: failure("agent/invalid-output", `${member.id} sent no vote`) };
    },
    acknowledge: (receipt) => void ref.tell("decision.receipt", receipt),
    commit: (invitation, { signal }) => ask("decision.commit", invitation, signal),
  };
}
