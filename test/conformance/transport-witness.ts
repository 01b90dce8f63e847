import type { Envelope } from "../../machines/wire/envelope.ts";
import { readDown } from "../../src/remote/payloads.ts";
import type { PeerSession } from "../../src/remote/peer-session.ts";
import type { DeadRemoteLetter, RequestOptions } from "../../src/remote/requests.ts";
import type { Deed } from "./transport-history.ts";
import { numberOf } from "./transport-host.ts";

type Subject = Pick<Deed, "stream" | "id">;

/** What nobody has asked for: a deed of it has no cause, and is found. */
const nobody: Subject = { stream: "nobody", id: 0 };
const answers: ReadonlySet<string> = new Set(["reply", "spawned", "err"]);

/** Stands beside every session of a world, and writes down what is asked over it and what becomes of that. */
export class Witness {
  readonly history: Deed[] = [];
  readonly #seen = new WeakSet<PeerSession>();
  /** What was sent, by its id on the wire. */
  readonly #subjects = new Map<string, Subject>();
  /** What is being asked in this very moment, and has no id yet. */
  #asked: Subject | undefined;
  #number = 0;

  watch(session: PeerSession): void {
    if (this.#seen.has(session)) return;
    this.#seen.add(session);
    const { link, requests } = session;
    const send = link.send.bind(link);
    link.send = (draft, due) => {
      if (this.#asked !== undefined) {
        this.#subjects.set(draft.id, this.#asked);
        if (draft.k === "tell") this.#note("sent", this.#asked);
        this.#asked = undefined;
      }
      send(draft, due);
    };
    const take = requests.take.bind(requests);
    requests.take = (envelope) => {
      this.#hear(envelope);
      take(envelope);
    };
    this.#watchRequests(session);
  }

  /** A letter came back to a node of this world. */
  letter({ id, reason }: DeadRemoteLetter): void {
    const subject = this.#subjects.get(id);
    // One that was refused as it was told was never sent.
    if (subject === undefined && this.#asked !== undefined) return;
    this.#note(reason === "indeterminate" ? "doubtful" : "dead", subject ?? nobody);
  }

  #watchRequests({ requests }: PeerSession): void {
    const tell = requests.tell.bind(requests);
    requests.tell = (to, capability, given) =>
      this.#ask({ stream: capability, id: numberOf(given.input) }, () => tell(to, capability, given));
    const call = requests.call.bind(requests);
    requests.call = (to, capability, { input, options }) =>
      this.#call(options, (heard) => call(to, capability, { input, options: heard }));
    const spawn = requests.spawn.bind(requests);
    requests.spawn = (name, input, options) => this.#call(options, (heard) => spawn(name, input, heard));
    const monitor = requests.monitor.bind(requests);
    requests.monitor = (to, signal) => {
      const subject = this.#next("monitor");
      this.#note("watched", subject);
      const fallen = this.#ask(subject, () => monitor(to, signal));
      fallen.then(
        () => this.#note("down", subject),
        () => this.#note("left", subject),
      );
      return fallen;
    };
  }

  #call<Outcome>(options: RequestOptions, call: (heard: RequestOptions) => Promise<Outcome>): Promise<Outcome> {
    const subject = this.#next("call");
    this.#note("called", subject);
    const settled = (): void => {
      this.#note("settled", subject);
      options.settled?.();
    };
    const outcome = this.#ask(subject, () => call({ ...options, settled }));
    void outcome.then(() => this.#note("resolved", subject));
    return outcome;
  }

  #hear({ k, re = "", p }: Envelope): void {
    if (k === "down") {
      for (const { id } of readDown(p, re)) this.#note("told", this.#subjects.get(id) ?? nobody);
      return;
    }
    const subject = this.#subjects.get(re) ?? nobody;
    // A tell has an answer only where it comes back as a letter.
    if (answers.has(k) && (subject.stream === "call" || subject === nobody)) this.#note("answered", subject);
  }

  #ask<Result>(subject: Subject, ask: () => Result): Result {
    this.#asked = subject;
    try {
      return ask();
    } finally {
      this.#asked = undefined;
    }
  }

  #next(stream: string): Subject {
    this.#number += 1;
    return { stream, id: this.#number };
  }

  #note(deed: Deed["deed"], { stream, id }: Subject): void {
    this.history.push({ deed, stream, id });
  }
}
