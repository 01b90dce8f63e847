import { admitMessage } from "../../../../../machines/consensus/bft/admission.ts";
import { proposerOf } from "../../../../../machines/consensus/bft/council.ts";
import type { BftEffect } from "../../../../../machines/consensus/bft/effects.ts";
import type { BftEvent, TimerKind, ValueJudgement } from "../../../../../machines/consensus/bft/events.ts";
import type { BftMessage } from "../../../../../machines/consensus/bft/messages.ts";
import {
  durableOf,
  unstartedState,
  type BftState,
  type DurableState,
} from "../../../../../machines/consensus/bft/state.ts";
import type { Statement, Vote, VoteKind } from "../../../../../machines/consensus/bft/statement.ts";
import { logOf } from "../../../../../machines/consensus/bft/vote-keeper.ts";
import { Scene } from "../scene.ts";

/**
 * A scenario: what one member is told, and everything that it does, line by line, as `what it is told => what it does`.
 *
 * Members are called by their turns: p0 proposes in round 0, p1 in round 1. The member that is watched is p3 of four
 * unless `turn` says otherwise; its own votes come back to it at once. Values are letters; `!A` breaks the rules and `~A`
 * is one that this member does not like. Rounds are the present one unless the line says `in`.
 *
 * Told: `start`, `built A`, `learn A`, `timer propose`, `restart` (a crash, and its store comes back), and what others
 * say: `p0: propose A from 0 with its polka`, `p0 p1: prevote nil in 1`, `p0: commit A by p0 p1 p2`, `p0: show A in 0 by
 * p0 p1 p2`, each of them perhaps `(forged)` or `(of another decision)`. `state` and `count prevotes` only ask.
 * Done: the lines of the paper that were executed, then what changed, then the effects.
 */
export interface Scenario {
  /** CometBFT's test in camel case, without `Test`. */
  readonly name: string;
  readonly shows: string;
  /** Rows of the transition table. */
  readonly rule: string;
  /** Faults of the code, each of which makes this scenario come out differently. */
  readonly broken: readonly string[];
  /** Where the rule here is not CometBFT's. */
  readonly differs?: string;
  /** Equal members; four unless said. */
  readonly members?: number;
  /** The round in which the watched member proposes; 3 unless said. */
  readonly turn?: number;
  readonly script: string;
}

interface Speech {
  readonly who: string;
  readonly how?: string;
  readonly verb: "propose" | "prevote" | "precommit" | "commit" | "show";
  readonly value: string;
  readonly from?: string;
  readonly at?: string;
  readonly polka?: string;
  readonly by?: string;
}

const speech =
  /^(?<who>[p0-9 ]+?)(?: \((?<how>forged|of another decision)\))?: (?<verb>propose|prevote|precommit|commit|show) (?<value>\S+)(?: from (?<from>\d+))?(?: in (?<at>\d+))?(?<polka> with its polka)?(?: by (?<by>[p0-9 ]+))?$/;
const command = /^(?:(?<asked>start|restart|state)|(?<word>built|learn|timer|count) (?<what>\S+)(?: in (?<at>\d+))?)$/;

function judge(value: string): ValueJudgement {
  return { isValid: !value.startsWith("!"), isAcceptable: !value.startsWith("~") };
}

function valueOf(text: string): string | null {
  return text === "nil" ? null : text;
}

function leaning(validRound: number): string {
  return validRound < 0 ? "" : ` from ${validRound}`;
}

function standing(state: BftState): string[] {
  const { lockedRound, lockedValue, validRound, validValue } = state;
  return [
    lockedRound < 0 ? "no lock" : `lock ${lockedValue}@${lockedRound}`,
    validRound < 0 ? "nothing valid" : `valid ${validValue}@${validRound}`,
  ];
}

function changesOf(before: BftState, after: BftState): string[] {
  const was = standing(before);
  return [
    ...(after.fired.length > 0 ? [after.fired.join(" ")] : []),
    ...(after.round === before.round ? [] : [`round ${after.round}`]),
    ...standing(after).filter((text) => !was.includes(text)),
  ];
}

class Watched {
  readonly #scene: Scene;
  readonly #names: readonly string[];
  readonly #own: Vote[] = [];
  #durable: DurableState | undefined;
  #out: string[] = [];

  constructor(members: number, turn: number) {
    const weights = Array.from({ length: members }, () => 1);
    const { council } = new Scene(weights, 0);
    const turns = weights.map((_, round) => proposerOf(council, round));
    if (new Set(turns).size !== members) throw new Error("every member has one turn in as many rounds");
    this.#names = weights.map((_, index) => `p${turns.indexOf(index)}`);
    this.#scene = new Scene(weights, turns[turn]);
  }

  hear(input: string): string[] {
    this.#out = [];
    const said = speech.exec(input)?.groups as Speech | undefined;
    if (said === undefined) this.#obey(input);
    else for (const event of this.#read(said)) this.#tell(event);
    return this.#out;
  }

  #obey(input: string): void {
    const { asked = "", word = asked, what = "", at } = command.exec(input)?.groups ?? {};
    const { state } = this.#scene;
    const round = at === undefined ? state.round : Number(at);
    switch (word) {
      case "start":
        return this.#tell({ type: "decision.started" });
      case "built":
        return this.#tell({ type: "value.ready", round, value: what });
      case "learn":
        return this.#tell({ type: "value.learned", value: what, judgement: judge(what) });
      case "timer":
        return this.#tell({ type: "timer.expired", kind: what as TimerKind, round });
      case "restart":
        return this.#restart();
      case "state":
        return void this.#out.push(`${state.phase} in round ${state.round}`, ...standing(state));
      case "count":
        return this.#count(what, round);
      default:
        throw new Error(`nobody understands: ${input}`);
    }
  }

  #count(what: string, round: number): void {
    const { council, rounds } = this.#scene.state;
    const log = logOf(rounds, round);
    const set = what === "prevotes" ? log?.prevotes : log?.precommits;
    for (const { value, validRound, weight } of set?.sums ?? [])
      this.#out.push(`${weight} for ${value ?? "nil"}${leaning(validRound)}`);
    this.#out.push(`${set?.heard ?? 0} of ${council.total}`);
  }

  #restart(): void {
    if (this.#durable === undefined) throw new Error("it has signed nothing yet");
    const { state, council } = this.#scene;
    this.#scene.state = unstartedState(council, state.self);
    const { validValue, lockedValue } = this.#durable;
    for (const value of new Set([validValue, lockedValue]))
      if (value !== null) this.#tell({ type: "value.learned", value, judgement: judge(value) });
    this.#tell({ type: "decision.restored", durable: this.#durable });
  }

  /** What others say, as far as it passes admission. */
  #read(said: Speech): BftEvent[] {
    const round = said.at === undefined ? this.#scene.state.round : Number(said.at);
    return this.#indices(said.who).flatMap((voter) => {
      const message = this.#messageOf(said, voter, round);
      const { council, notary } = this.#scene;
      const { row, evidence } = admitMessage(message, { council, verify: notary.verify });
      if (row !== "admitted") this.#out.push(`refuse as ${row}`);
      if (evidence !== undefined) this.#out.push(...this.#say({ type: "reportEvidence", params: { evidence } }));
      return row === "admitted" ? [this.#eventOf(message)] : [];
    });
  }

  #indices(names: string): number[] {
    return names.split(" ").map((name) => {
      const index = this.#names.indexOf(name);
      // Somebody without a seat.
      return index < 0 ? this.#names.length : index;
    });
  }

  #messageOf(said: Speech, voter: number, round: number): BftMessage {
    const { verb, from = "-1", how, by = "" } = said;
    const value = valueOf(said.value);
    const validRound = Number(from);
    const votes = (kind: VoteKind): Vote[] =>
      this.#indices(by)
        .sort((left, right) => left - right)
        .map((each) => this.#scene.sign(kind, each, { round, value }));
    switch (verb) {
      case "propose": {
        const proposal = this.#harm(this.#scene.proposal(value ?? "", { round, validRound, voter }), how);
        const polka = said.polka === undefined ? [] : this.#scene.polka(value ?? "", validRound);
        return { type: "proposal", proposal: { ...proposal, value }, polka };
      }
      case "prevote":
      case "precommit":
        return { type: "vote", vote: this.#harm(this.#scene.sign(verb, voter, { round, value, validRound }), how) };
      case "commit":
        return { type: "commit", commit: { round, value: value ?? "", votes: votes("precommit") } };
      case "show":
        return { type: "status", from: voter, round, polka: votes("prevote"), entry: [] };
    }
  }

  #harm<Signed extends Statement>(statement: Signed, how: string | undefined): Signed {
    if (how === "forged") return { ...statement, sig: "made up" };
    if (how === undefined) return statement;
    return this.#scene.notary.sign<Signed>({ ...statement, decision: "another" });
  }

  #eventOf(message: BftMessage): BftEvent {
    switch (message.type) {
      case "proposal": {
        const proposal = { ...message.proposal, value: message.proposal.value ?? "" };
        return {
          type: "proposal.received",
          proposal,
          judgement: judge(proposal.value),
          polka: message.polka,
        };
      }
      case "vote":
        return { type: "vote.received", vote: message.vote };
      case "commit":
        return { type: "commit.received", commit: message.commit, judgement: judge(message.commit.value) };
      case "status":
        return { type: "status.received", from: message.from, polka: message.polka, entry: message.entry };
      case "fetch":
      case "value":
      case "transcript":
        throw new Error(`nobody says ${message.type} here`);
    }
  }

  /** One step; what the member says comes back to it, as its shell does that. */
  #tell(event: BftEvent): void {
    const before = this.#scene.state;
    const { state, effects } = this.#scene.tell(event);
    this.#out.push(...changesOf(before, state));
    for (const effect of effects) this.#out.push(...this.#say(effect));
    for (const effect of effects) {
      if (effect.type === "castVote") {
        const vote = this.#scene.sign(effect.params.kind, state.self, effect.params);
        this.#own.push(vote);
        this.#write();
        this.#tell({ type: "vote.received", vote });
      }
      if (effect.type === "propose") {
        const { value, round, validRound } = effect.params;
        const proposal = this.#scene.proposal(value, { round, validRound });
        this.#write();
        this.#tell({ type: "proposal.received", proposal, judgement: judge(value), polka: [] });
      }
    }
  }

  #write(): void {
    const { state } = this.#scene;
    this.#durable = durableOf(
      state,
      this.#own.filter(({ round }) => round === state.round),
    );
  }

  #say(effect: BftEffect): string[] {
    const nameOf = (index: number): string => this.#names[index] ?? "nobody";
    switch (effect.type) {
      case "castVote": {
        const { kind, value, validRound } = effect.params;
        return [`${kind} ${value ?? "nil"}${leaning(validRound)}`];
      }
      case "propose":
        return [`propose ${effect.params.value}${leaning(effect.params.validRound)}`];
      case "sendStatus": {
        const [first] = effect.params.polka;
        return first === undefined ? [] : [`show ${first.value}@${first.round}`];
      }
      case "resend":
        return ["say it again"];
      case "setTimer":
        return effect.params.kind === "resend" ? [] : [`wait ${effect.params.kind}`];
      case "requestValue":
        return ["build a value"];
      case "fetchValue":
        return [`fetch ${effect.params.value}`];
      case "decide": {
        const { value, round, votes } = effect.params.commit;
        const voters = votes.map(({ voter }) => nameOf(voter)).sort();
        return [`decide ${value}@${round} by ${voters.join(" ")}`];
      }
      case "answerLaggard":
        return [`tell ${nameOf(effect.params.to)} the decision`];
      case "reportEvidence": {
        const { culprits, kind } = effect.params.evidence;
        return [`convict ${culprits.map(nameOf).join(" ")} of ${kind}`];
      }
    }
  }
}

function linesOf(script: string): string[] {
  return script.split("\n").map((line) => line.trim().replaceAll(/ +/g, " "));
}

/** The transcript as it is written. */
export function written({ script }: Pick<Scenario, "script">): string {
  return linesOf(script).join("\n");
}

/** The transcript as it comes out: the same text where the member does what is written. */
export function play({ script, members = 4, turn = 3 }: Pick<Scenario, "script" | "members" | "turn">): string {
  const watched = new Watched(members, turn);
  return linesOf(script)
    .map((line) => {
      const [input, does] = line.split(" => ");
      if (does === undefined || input === undefined) return line;
      const done = watched.hear(input);
      return `${input} => ${done.length === 0 ? "nothing" : done.join(", ")}`;
    })
    .join("\n");
}
