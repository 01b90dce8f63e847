import { setTimeout as sleep } from "node:timers/promises";
import { createTroupe, verifyCertificate, verifyEvidence, type Decision, type Participant, type Troupe } from "troupe";
import { valueDigestOf } from "../../machines/consensus/codec/commit-messages.ts";
import { redialMaxMs } from "../../machines/session/limits.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";
import { contentsPerPlace, Houses } from "../remote/houses.ts";
import { nodeNames, planTestnet, type NodeName, type Perturbation, type TestnetPlan } from "./testnet-plan.ts";

/** A decision is asked for again where too many nodes were hurt at once for it to end; so often at most. */
const attemptsMax = 5;
/** How long one decision may take: longer than everything that is done to it. */
const decisionMs = 20_000;

export interface TestnetResult {
  readonly seed: number;
  readonly plan: TestnetPlan;
  readonly decisions: number;
  /** Asked for again. */
  readonly repeated: number;
  readonly perturbed: Readonly<Record<string, number>>;
  readonly evidence: number;
  readonly ms: number;
  readonly findings: readonly string[];
}

/** How long a link may take to be up again: the longest wait before another dial, after many in a short time, and that dial. */
const healMs = redialMaxMs + 10_000;

type House = Awaited<ReturnType<Houses["start"]>>;
type Peer = Awaited<ReturnType<Troupe["connect"]>>;

interface Place {
  readonly name: NodeName;
  readonly proxy: ChaosProxy;
  readonly voter: Participant;
  readonly peer: Peer;
  house: House;
}

/** Four nodes with a voter each, behind a proxy each, and a chair that asks them. */
class Testnet implements AsyncDisposable {
  readonly #houses: Houses;
  readonly #chair: Troupe;
  readonly #plan: Parameters<typeof Testnet.open>[0];
  #stack: AsyncDisposableStack;
  readonly #places: Place[] = [];

  private constructor(
    plan: Parameters<typeof Testnet.open>[0],
    given: { houses: Houses; chair: Troupe; stack: AsyncDisposableStack },
  ) {
    this.#plan = plan;
    this.#houses = given.houses;
    this.#chair = given.chair;
    this.#stack = given.stack;
  }

  static async open(plan: TestnetPlan & { readonly untold: number }): Promise<Testnet> {
    await using stack = new AsyncDisposableStack();
    const houses = stack.use(new Houses());
    const chair = stack.use(await createTroupe({ node: "chair", links: { heartbeatMs: 150, sessionMs: 1_000 } }));
    const net = new Testnet(plan, { houses, chair, stack });
    await Promise.all(nodeNames.map((name) => net.#settle(name)));
    net.#stack = stack.move();
    return net;
  }

  async #settle(name: NodeName): Promise<void> {
    const proxy = await ChaosProxy.open();
    this.#stack.defer(() => proxy.close());
    const house = await this.#start(name, proxy);
    const peer = await this.#chair.connect(`ws://127.0.0.1:${proxy.port}`);
    this.#places.push({ name, proxy, house, peer, voter: Houses.voterOf(peer, house.member) });
  }

  async #start(name: NodeName, proxy: ChaosProxy): Promise<House> {
    const { liar, lies, untold } = this.#plan;
    const house = await this.#houses.start(name, {
      outer: `127.0.0.1:${proxy.port}`,
      lies: name === liar ? lies + untold : 0,
    });
    proxy.target = Number(new URL(house.url).port);
    return house;
  }

  decide(decisionId: string): Promise<Decision> {
    const voters = this.#places.map(({ voter }) => voter);
    const question = { mode: "bft", question: "Ship it?", options: ["yes", "no"], close: "all" } as const;
    return this.#chair.decide({ ...question, voters, decisionId, timeoutMs: decisionMs });
  }

  async perturb({ node, kind, afterMs, forMs }: Perturbation): Promise<void> {
    const place = this.#places.find(({ name }) => name === node);
    if (place === undefined) throw new Error(`no node ${node}`);
    const { proxy, house } = place;
    // Real processes in real time: what is done to them has a beginning and a length.
    await sleep(afterMs);
    if (kind === "disconnect") {
      proxy.closed = true;
      proxy.swallow();
      await sleep(forMs);
      proxy.closed = false;
      proxy.cut();
    } else if (kind === "pause") {
      house.kill("SIGSTOP");
      await sleep(forMs);
      house.kill("SIGCONT");
    } else {
      house.kill(kind === "kill" ? "SIGKILL" : "SIGTERM");
      await house.over;
      place.house = await this.#start(node, proxy);
    }
  }

  /** Waits until all links are up again; names those that are not in time. Polls: nobody is told of a link's state. */
  async heal(): Promise<string[]> {
    const from = performance.now();
    const down = (): Place[] => this.#places.filter(({ peer }) => peer.state !== "up");
    while (down().length > 0 && performance.now() - from < healMs) await sleep(10);
    return down().map(({ name, peer, proxy }) => `${name} is ${peer.state}, with ${proxy.connections} connections`);
  }

  effects(node: NodeName): ReturnType<Houses["effects"]> {
    return this.#houses.effects(node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** What one decision shows from outside. */
function checkDecision({ certificate, electorate, status, option }: Decision): string[] {
  const verdict = verifyCertificate(certificate, electorate);
  if (status === "decided" && option === "yes" && verdict.ok && verdict.option === "yes") return [];
  return [`it is ${status} for ${option}, and its certificate says ${JSON.stringify(verdict)}`];
}

/** Evidence holds, and names nobody who did not lie. */
function checkEvidence({ evidence, electorate }: Decision, { liar, lies }: TestnetPlan): string[] {
  return evidence.flatMap((each) => {
    const check = verifyEvidence(each, electorate);
    const named = check.ok ? ("voters" in check ? check.voters : "voter" in check ? [check.voter] : ["nobody"]) : [];
    if (check.ok && lies > 0 && named.every((name) => name === liar)) return [];
    return [`its evidence ${each.kind} names ${named.join(" ")}: ${JSON.stringify(check)}`];
  });
}

/** What the honest nodes wrote down: one value per decision, and one content per place, in all of their lives. */
function checkEffects(net: Testnet, plan: TestnetPlan, decided: ReadonlyMap<string, string>): string[] {
  const honest = nodeNames.filter((name) => name !== plan.liar || plan.lies === 0);
  const found: string[] = [];
  const committed = new Map(decided);
  for (const name of honest) {
    const effects = net.effects(name);
    if (contentsPerPlace(effects).some((size) => size > 1)) found.push(`${name} signed twice`);
    for (const { what, decision = "", value } of effects) {
      if (what !== "commit") continue;
      const other = committed.get(decision) ?? String(value);
      if (other !== value) found.push(`${name} decided ${value} where others decided ${other} in ${decision}`);
      committed.set(decision, other);
    }
  }
  return found;
}

/**
 * One testnet of a seed: decisions one after the other, hurt as planned. `plan` is another one than the seed's, of which
 * some lies are not told here: those must be found.
 */
export async function runTestnet(given: {
  readonly seed: number;
  readonly steps: number;
  readonly plan?: TestnetPlan;
  readonly untold?: number;
}): Promise<TestnetResult> {
  const { seed, steps, plan = planTestnet(seed, steps), untold = 0 } = given;
  const startedAt = performance.now();
  const findings: string[] = [];
  const decided = new Map<string, string>();
  let [repeated, evidence] = [0, 0];
  await using net = await Testnet.open({ ...plan, untold });
  for (const [step, hurt] of plan.steps.entries()) {
    const faulty = new Set<NodeName>(hurt.map(({ node }) => node));
    if (plan.lies > 0) faulty.add(plan.liar);
    for (let attempt = 0; ; attempt += 1) {
      const decisionId = `testnet-${seed}-${step}-${attempt}`;
      const hurting = attempt === 0 ? hurt.map((each) => net.perturb(each)) : [];
      const [decision] = await Promise.all([net.decide(decisionId), ...hurting]);
      findings.push(...(await net.heal()).map((finding) => `${decisionId}: after ${healMs} ms ${finding}`));
      findings.push(...checkEvidence(decision, plan).map((finding) => `${decisionId}: ${finding}`));
      evidence += decision.evidence.length;
      const isHurt = attempt === 0 && hurt.some(({ node }) => node === plan.liar);
      const hasLied = net.effects(plan.liar).some(({ what, decision: id }) => what === "lie" && id === decisionId);
      if (hasLied && !isHurt && decision.status === "decided" && decision.evidence.length === 0)
        findings.push(`${decisionId}: a lie was not found`);
      if (decision.status !== "decided" && faulty.size > 1 && attempt < attemptsMax) {
        repeated += 1;
        continue;
      }
      findings.push(...checkDecision(decision).map((finding) => `${decisionId}: ${finding}`));
      const { certificate } = decision;
      if (certificate?.kind === "commit")
        decided.set(certificate.value.proposalDigest, valueDigestOf(certificate.value, sha256));
      break;
    }
  }
  findings.push(...checkEffects(net, plan, decided));
  const perturbed: Record<string, number> = {};
  for (const { kind } of plan.steps.flat()) perturbed[kind] = (perturbed[kind] ?? 0) + 1;
  const ms = Math.round(performance.now() - startedAt);
  return { seed, plan, decisions: decided.size, repeated, perturbed, evidence, ms, findings };
}
