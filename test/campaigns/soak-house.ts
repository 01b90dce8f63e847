import { join } from "node:path";
import {
  createMember,
  createTroupe,
  defineAgent,
  voterAgent,
  voterAt,
  type AgentRef,
  type RemotePeer,
  type Troupe,
  type Voter,
} from "troupe";
import { z } from "zod";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";

const callsPerRound = 32;
const tellsPerRound = 16;
const itemsPerStream = 64;
/** Longer than a link must have been healthy for its first wait to be short again. */
const cutEveryMs = 12_000;

/** Two troupes that are connected through a line that breaks now and then, and everything that they do together. */
export interface SoakHouse {
  readonly findings: { rule: string; message: string }[];
  readonly counts: { readonly [deed: string]: number };
  round(number: number): Promise<void>;
  /** Puts new agents in the place of those that remember what they did, by design: the voters' last 1,024 rounds. */
  renew(): Promise<void>;
  /** Waits for what was told to arrive. */
  end(): Promise<void>;
  close(): Promise<void>;
}

function agentsOf(seen: { told: number }) {
  const worker = defineAgent({
    name: "worker",
    concurrency: 64,
    capabilities: {
      echo: { input: z.unknown(), output: z.unknown(), run: ({ input }) => input },
      count: { input: z.null(), output: z.null(), run: () => void (seen.told += 1) as unknown as null },
      refuse: { input: z.null(), output: z.null(), run: ({ fail }) => fail("soak/no", "no") },
      hang: {
        input: z.null(),
        output: z.null(),
        run: ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(null))),
      },
    },
    streams: {
      numbers: {
        input: z.number(),
        items: z.number(),
        output: z.null(),
        async *run({ input }) {
          for (let number = 0; number < input; number += 1) yield number;
          return null;
        },
      },
    },
  });
  const fragile = defineAgent({
    name: "fragile",
    capabilities: {
      break: {
        input: z.null(),
        output: z.null(),
        breaker: false,
        run() {
          throw new Error("as it is meant to");
        },
      },
    },
  });
  const guest = defineAgent({
    name: "guest",
    capabilities: { greet: { input: z.null(), output: z.string(), run: () => "hello" } },
  });
  return { worker, fragile, guest };
}

function voterOf(id: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation: "go", confidence: 0.8, reasoning: "It is sound." };
  return { member, signer, opine: () => Promise.resolve({ ok: true, value }) };
}

class House implements SoakHouse {
  readonly findings: { rule: string; message: string }[] = [];
  readonly counts: Record<string, number> = {};
  readonly #random: { next(): number };
  readonly #seen = { told: 0 };
  #tells = 0;
  #cutAt = performance.now();
  #url = "";
  #here!: Troupe;
  #there!: Troupe;
  #proxy!: ChaosProxy;
  #peer!: RemotePeer;
  #worker!: AgentRef;
  #fragile!: AgentRef;
  #away: readonly Voter[] = [];
  #seats: AgentRef[] = [];
  #voters: Parameters<Troupe["decide"]>[0]["voters"] = [];
  readonly #agents = agentsOf(this.#seen);

  constructor(random: { next(): number }) {
    this.#random = random;
  }

  async open(folder: string): Promise<void> {
    const { worker, fragile, guest } = this.#agents;
    // What a key remembers is kept for minutes, by design; here for less than the time between two samples.
    const short = { links: { sessionMs: 60_000 }, idempotencyRetentionMs: 1_000 };
    this.#proxy = await ChaosProxy.open();
    this.#there = await createTroupe({ node: "there", store: join(folder, "there.db"), ...short });
    this.#here = await createTroupe({ node: "here", store: join(folder, "here.db"), ...short });
    await this.#there.spawn(worker);
    const intensity = { restarts: 100, withinMs: 1_000 };
    const cupboard = await this.#there.supervise({ name: "cupboard", children: [{ agent: fragile }], intensity });
    const away = [voterOf("c"), voterOf("d")];
    this.#away = away;
    const hosts = [`127.0.0.1:${this.#proxy.port}`];
    const grants = ["tell:/*", "tell:cap:*", "watch:/*", "spawn:guest@1", "tell:node:control"];
    const listener = await this.#there.listen({ port: 0, hosts, grants, spawn: [guest] });
    this.#proxy.target = Number(new URL(listener.url).port);
    this.#url = `ws://127.0.0.1:${this.#proxy.port}/`;
    this.#peer = await this.#here.connect(this.#url);
    this.#worker = this.#peer.ref("/worker/1");
    this.#fragile = this.#peer.ref(cupboard.agents[0]?.path ?? "");
    await this.renew();
    await this.#here.workflows.define({
      key: "two",
      steps: [
        { id: "first", type: "task", capability: "echo", input: "$.input" },
        { id: "second", type: "task", capability: "echo", input: { n: 2 } },
      ],
    });
  }

  async round(number: number): Promise<void> {
    await this.#talk(number);
    await this.#stream(number);
    await this.#live(number);
    if (number % 32 === 0) await this.#decide(number);
    if (number % 16 === 0) await this.#work(number);
    if (number % 64 === 63) await this.#visit();
    if (performance.now() < this.#cutAt + cutEveryMs) return;
    this.#cutAt = performance.now();
    this.#proxy.cut();
  }

  async renew(): Promise<void> {
    for (const [index, seat] of this.#seats.splice(0).entries()) {
      await seat.stop();
      this.#there.agents.unregister(`voter-${index}`);
    }
    for (const [index, voter] of this.#away.entries()) {
      const agent = voterAgent(voter, { name: `voter-${index}` });
      this.#seats.push(...(await this.#there.spawn(agent)));
    }
    this.#voters = [voterOf("a"), voterOf("b"), ...this.#seats.map((seat, index) => this.#elsewhere(seat, index))];
  }

  #elsewhere(seat: AgentRef, index: number): ReturnType<typeof voterAt> {
    const voter = this.#away[index];
    if (voter === undefined) throw new Error("each seat has its voter");
    return voterAt(this.#peer.ref(seat.path), voter.member);
  }

  #count(deed: string, times = 1): void {
    this.counts[deed] = (this.counts[deed] ?? 0) + times;
  }

  #expect(deed: string, actual: unknown, expected: unknown): void {
    this.#count(deed);
    if (actual === expected || this.findings.length >= 10) return;
    this.findings.push({ rule: deed, message: `${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}` });
  }

  async #talk(number: number): Promise<void> {
    const calls = Array.from({ length: callsPerRound }, (_, call) => this.#worker.call("echo", { number, call }));
    for (let tell = 0; tell < tellsPerRound; tell += 1) {
      this.#tells += 1;
      this.#expect("a tell is taken", this.#worker.tell("count", null), "accepted");
    }
    for (const [call, outcome] of (await Promise.all(calls)).entries())
      this.#expect("a call is answered", outcome.ok && (outcome.value as { call: number }).call, call);
    const refused = await this.#worker.call("refuse", null);
    this.#expect("a refusal is told", refused.ok || refused.failure.code, "soak/no");
    const leave = new AbortController();
    const hanging = this.#worker.call("hang", null, { signal: leave.signal });
    leave.abort();
    const cancelled = await hanging;
    this.#expect("a call is cancelled", cancelled.ok || cancelled.failure.code, "call/cancelled");
    if (number % 16 > 0) return;
    const crashed = await this.#fragile.call("break", null);
    this.#expect("a crash is told", crashed.ok || crashed.failure.code, "agent/crashed");
  }

  async #stream(number: number): Promise<void> {
    const until = number % 4 === 0 ? Math.floor(this.#random.next() * itemsPerStream) : itemsPerStream;
    let read = 0;
    for await (const item of this.#worker.stream("numbers", itemsPerStream)) {
      this.#expect("an item is in its order", item, read);
      read += 1;
      if (read > until) break;
    }
  }

  /** Agents come and go, here and there, and whoever watches them hears of it. */
  async #live(number: number): Promise<void> {
    const { guest } = this.#agents;
    const [ref] = await this.#here.spawn(guest, { restart: "temporary" });
    const down = ref?.monitor();
    await ref?.stop();
    this.#expect("a monitor hears the end", (await down)?.reason, "stopped");
    // A peer may spawn ten a second in the long run.
    if (number % 64 > 0) return;
    const away = await this.#peer.spawn("guest@1");
    const fallen = away.monitor();
    const greeted = await away.call("greet", null);
    this.#expect("an agent there answers", greeted.ok && greeted.value, "hello");
    await away.stop();
    this.#expect("a monitor hears the end there", (await fallen).reason, "stopped");
  }

  async #decide(number: number): Promise<void> {
    const mode = number % 128 === 0 ? "bft" : "ballot";
    const decision = await this.#here.decide({
      question: "Go?",
      options: ["go", "stay"],
      voters: this.#voters,
      mode,
      method: "single",
    });
    this.#expect(`a decision of mode ${mode}`, decision.option, "go");
  }

  async #work(number: number): Promise<void> {
    const run = await this.#here.run("two", { number });
    const outcome = await run.result();
    this.#expect("a run ends", outcome.ok, true);
  }

  /** Another troupe comes by, and leaves. */
  async #visit(): Promise<void> {
    const visitor = await createTroupe({ node: "visitor" });
    const peer = await visitor.connect(this.#url);
    const outcome = await peer.ref("/worker/1").call("echo", 1);
    this.#expect("a visitor is answered", outcome.ok && outcome.value, 1);
    await visitor.close();
  }

  async end(): Promise<void> {
    // Tells of one sender to one agent are in order, so that this comes after them.
    await this.#worker.call("count", null);
    this.#tells += 1;
    this.#expect("every tell has arrived, once", this.#seen.told, this.#tells);
  }

  async close(): Promise<void> {
    await this.#here.close();
    await this.#there.close();
    await this.#proxy.close();
  }
}

/** Opens both troupes, with their stores in `folder`. */
export async function openSoakHouse(folder: string, random: { next(): number }): Promise<SoakHouse> {
  const house = new House(random);
  await house.open(folder);
  return house;
}
