import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { analyzeMembers, type ElectorateAnalysis } from "../../machines/consensus/electorate/analysis.ts";
import {
  arrangeElectorate,
  findElectorateFault,
  indexOfMember,
  memberId,
  memberSchema,
  totalWeightMax,
  totalWeightOf,
  type Electorate,
  type Member,
} from "../../machines/consensus/electorate/electorate.ts";
import {
  parseThreshold,
  type Parsed,
  type Share,
  type ThresholdInput,
} from "../../machines/consensus/electorate/threshold.ts";
import { lowerWeights } from "../../machines/consensus/electorate/weight-cap.ts";
import { createStamp } from "../../machines/stamp.ts";
import { TroupeError } from "../errors.ts";
import { sha256 } from "./ed25519.ts";

/** The value, or a usage error that names the field. */
export function requireParsed<Value>(field: string, parsed: Parsed<Value>): Value {
  if (parsed.ok) return parsed.value;
  throw new TroupeError("usage/invalid-policy", `${field}: ${parsed.problem}`, { data: { field } });
}

/**
 * Freezes members into an electorate: sorted by id, ids and keys distinct, no weak key.
 * Errors: throws `usage/invalid-electorate`; `data.reason` is DUPLICATE_ID, DUPLICATE_KEY, WEAK_KEY, TOO_HEAVY or MALFORMED.
 */
export function defineElectorate(members: readonly Member[], epoch = 0): Electorate {
  const electorate = arrangeElectorate(members, epoch);
  const fault = findElectorateFault(electorate);
  if (fault !== undefined)
    throw new TroupeError("usage/invalid-electorate", fault.problem, { data: { reason: fault.code } });
  return electorate;
}

/** Panels kept, with their electorate and its digest; the one not met for longest goes first. */
const keptPanelsMax = 16;

/** Members as they were given, frozen, and the electorate they make. */
interface Panel {
  readonly given: readonly Member[];
  readonly electorate: Electorate;
}

const panels: Panel[] = [];
const digests = createStamp<string>();

/** Thresholds whose analysis is kept per panel; a further one takes the place of all. */
const keptAnalysesMax = 16;
const analyses = createStamp<Map<string, ElectorateAnalysis>>();

function isSameMember(left: Member, right: Member | undefined): boolean {
  if (left.id !== right?.id || left.publicKey !== right.publicKey || left.weight !== right.weight) return false;
  if (left.group !== right.group || left.host !== right.host || left.custody !== right.custody) return false;
  for (const field in left) if (!Object.hasOwn(memberSchema.shape, field)) return false;
  return true;
}

/**
 * The same as `defineElectorate`, frozen: a panel that decides again is neither checked nor hashed again.
 * Errors: as there.
 */
export function seatPanel(members: readonly Member[], epoch: number): Electorate {
  const index = panels.findIndex(
    ({ given, electorate }) =>
      electorate.epoch === epoch &&
      given.length === members.length &&
      members.every((member, at) => isSameMember(member, given[at])),
  );
  const panel = panels[index] ?? admitPanel(members, epoch);
  if (index >= 0) panels.splice(index, 1);
  panels.push(panel);
  if (panels.length > keptPanelsMax) panels.shift();
  return panel.electorate;
}

function admitPanel(members: readonly Member[], epoch: number): Panel {
  const given = members.map((member) => Object.freeze({ ...member }));
  const electorate = defineElectorate(given, epoch);
  digests.put(electorate, digestOf(electorate, sha256));
  analyses.put(electorate, new Map());
  // The positions of its members are noted on the list, which has to come before it is frozen.
  indexOfMember(electorate, "");
  Object.freeze(electorate.members);
  return { given, electorate: Object.freeze(electorate) };
}

/** What an electorate can stand under a threshold; of a panel that decides again it is known. */
export function analyzePanel(electorate: Electorate, threshold: Share): ElectorateAnalysis {
  const kept = analyses.of(electorate);
  const name = `${threshold.num}/${threshold.den}/${threshold.strict}`;
  const known = kept?.get(name);
  if (known !== undefined) return known;
  const analysis = analyzeMembers(electorate.members, { threshold });
  if (kept !== undefined && kept.size >= keptAnalysesMax) kept.clear();
  kept?.set(name, analysis);
  return analysis;
}

/** The digest that names an electorate in every signed message. */
export function electorateDigestOf(electorate: Electorate): string {
  return digests.of(electorate) ?? digestOf(electorate, sha256);
}

/**
 * An electorate for ballots that nobody signs: names and weights, with the group cap applied. A member without a key
 * gets an empty one, so such an electorate verifies nothing.
 * Errors: throws `usage/invalid-electorate` for ids that repeat or break the form, and for too much weight.
 */
export function nameElectorate(
  members: readonly (Omit<Member, "publicKey"> & { readonly publicKey?: string | undefined })[],
  policy: { readonly diversity?: { readonly groupCap?: ThresholdInput }; readonly epoch?: number } = {},
): Electorate {
  const cap = policy.diversity?.groupCap;
  const keyed = members.map((member): Member => ({ ...member, publicKey: member.publicKey ?? "" }));
  const electorate = arrangeElectorate(
    cap === undefined ? keyed : capWeights(keyed, cap, { per: "group" }),
    policy.epoch ?? 0,
  );
  for (const [index, { id }] of electorate.members.entries()) {
    const form = memberId.safeParse(id);
    if (!form.success)
      throw new TroupeError(
        "usage/invalid-electorate",
        `member ${JSON.stringify(id)}: ${form.error.issues[0]?.message ?? ""}`,
      );
    if (electorate.members[index + 1]?.id === id)
      throw new TroupeError("usage/invalid-electorate", `member "${id}" is listed twice; ids must differ`);
  }
  if (totalWeightOf(electorate.members) > totalWeightMax)
    throw new TroupeError(
      "usage/invalid-electorate",
      `the total weight is above ${totalWeightMax}; divide the weights`,
    );
  return electorate;
}

/**
 * Says what an electorate can stand: W, the quorum q, F_safe = 2q-W-1, F_live = W-q, and who is too strong in it.
 * Shape: `deciders` form a quorum alone, `vetoers` can stop every decision, `groupsOverCap` hold a third or more,
 * `hostsOverCap` hold more than F_live. Units: weights are whole numbers.
 * Errors: throws `usage/invalid-policy` for a threshold or cap that is not a share.
 * Source: consensus design §2.
 * @example
 * ```ts
 * import { analyzeElectorate } from "troupe";
 * const { q, fSafe, fLive } = analyzeElectorate(["a", "b", "c", "d", "e"].map((id) => ({ id, weight: 1 })));
 * console.log(q, fSafe, fLive); // 4 2 1
 * ```
 */
export function analyzeElectorate(
  members: readonly {
    readonly id: string;
    readonly weight: number;
    readonly group?: string | undefined;
    readonly host?: string | undefined;
  }[],
  policy: { readonly threshold?: ThresholdInput; readonly groupCap?: ThresholdInput } = {},
): ElectorateAnalysis {
  return analyzeMembers(members, {
    ...(policy.threshold === undefined
      ? {}
      : { threshold: requireParsed("threshold", parseThreshold(policy.threshold)) }),
    ...(policy.groupCap === undefined ? {} : { groupCap: requireParsed("groupCap", parseThreshold(policy.groupCap)) }),
  });
}

/**
 * Lowers heavy members (or groups) until each holds strictly less than the cap, as water finds its level.
 * Shape: the same members with new whole weights; weights that already fit are left alone, otherwise all are scaled
 * by 1,000: [10,1,1,1,1] at "1/3" becomes [1999,1000,1000,1000,1000].
 * Errors: throws `usage/invalid-electorate` with `data.reason` OVER_CAP where no weights can satisfy the cap.
 * Source: consensus design §2.
 * @example
 * ```ts
 * import { capWeights } from "troupe";
 * const members = [10, 1, 1, 1, 1].map((weight, index) => ({ id: `v${index}`, weight }));
 * console.log(capWeights(members, "1/3").map(({ weight }) => weight));
 * ```
 */
export function capWeights<
  M extends { readonly id: string; readonly weight: number; readonly group?: string | undefined },
>(members: readonly M[], cap: ThresholdInput, options: { readonly per?: "member" | "group" } = {}): readonly M[] {
  const share = requireParsed("cap", parseThreshold(cap));
  const lowered = lowerWeights(members, share, options.per ?? "member");
  if (!lowered.ok) throw new TroupeError("usage/invalid-electorate", lowered.problem, { data: { reason: "OVER_CAP" } });
  return members.map((member, index) => ({ ...member, weight: lowered.value[index] ?? member.weight }));
}
