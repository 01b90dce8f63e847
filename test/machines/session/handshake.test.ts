import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  stepAdmission,
  type AdmissionInput,
  type AdmissionRules,
  type AdmissionState,
} from "../../../machines/session/admission.ts";
import { takeToken, type Bucket } from "../../../machines/session/bucket.ts";
import { isGranted } from "../../../machines/session/grants.ts";
import {
  stepIntroduction,
  type IntroductionRules,
  type IntroductionState,
} from "../../../machines/session/introduction.ts";
import { proofBytes } from "../../../machines/session/proof.ts";
import type { Credentials, Frame, Hello, Welcome } from "../../../machines/wire/frames.ts";
import { createSigner, verifyEd25519 } from "../../../src/consensus/ed25519.ts";

const verify = (key: string, bytes: Uint8Array, sig: string): boolean =>
  verifyEd25519(Buffer.from(key, "hex"), bytes, Buffer.from(sig, "hex"));

function keyPair(): { key: string; sign: (bytes: Uint8Array) => string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = Buffer.from(createSigner(privateKey).publicKey).toString("hex");
  return { key, sign: (bytes) => sign(null, bytes, privateKey).toString("hex") };
}

const dialer = keyPair();
const listener = keyPair();
const stranger = keyPair();

const helloOf = (auth: Credentials, more: Partial<Hello> = {}): Hello => ({
  t: "H",
  v: [1],
  node: "alpha",
  inc: "a1",
  nonce: "00".repeat(16),
  codec: "json",
  feat: [],
  lim: { frame: 1_048_576, msgs: 8, bytes: 1_000_000 },
  auth,
  ...more,
});

const admission = (more: Partial<AdmissionRules> = {}): AdmissionRules => ({
  node: "beta",
  inc: "b1",
  codec: "json",
  nonce: "11".repeat(16),
  key: listener.key,
  binding: "",
  open: false,
  isToken: (token) => token === "right",
  isKeyOf: (node, key) => node === "alpha" && key === dialer.key,
  isCertified: (node) => node === "alpha",
  needsCertificate: false,
  takesCertificate: true,
  verify,
  ...more,
});

const introduction = (more: Partial<IntroductionRules> = {}): IntroductionRules => ({
  hello: helloOf({ k: "ed25519", key: dialer.key }),
  binding: "",
  isKeyOf: (node, key) => node === "beta" && key === listener.key,
  isCertified: (node) => node === "beta",
  verify,
  ...more,
});

const welcome: Welcome = {
  t: "W",
  v: 1,
  node: "beta",
  inc: "b1",
  sess: { id: "s", resumed: false, recv: 0, ttl: 60_000 },
  lim: { frame: 1_048_576, msgs: 8, bytes: 1_000_000 },
  grant: [],
  hb: 5_000,
};

function answer(inputs: readonly AdmissionInput[], rules = admission()): string {
  let state: AdmissionState = { phase: "silent" };
  const words: string[] = [];
  for (const input of inputs) {
    const [next, effects] = stepAdmission(state, input, rules);
    state = next;
    for (const effect of effects)
      words.push(effect.type === "refuse" ? `refuse ${effect.code} ${effect.reason}` : effect.type);
  }
  return words.join(", ");
}

const frame = (one: Frame): AdmissionInput => ({ type: "frame", frame: one });

describe("a listener", () => {
  test.each([
    ["a right token", { k: "token", token: "right" }, "admit"],
    ["a wrong token", { k: "token", token: "wrong" }, "refuse 4401 the token is not accepted"],
    ["nothing", { k: "none" }, "refuse 4401 this node asks for authentication"],
    ["a known key", { k: "ed25519", key: dialer.key }, "send"],
    ["an unknown key", { k: "ed25519", key: stranger.key }, "refuse 4401 the key is not known here"],
    ["a certificate", { k: "mtls" }, "admit"],
  ] satisfies [string, Credentials, string][])("answers to %s", (_, auth, expected) => {
    expect(answer([frame(helloOf(auth))])).toBe(expected);
  });

  test("lets everybody in where it is open, but not under another's certificate", () => {
    expect(answer([frame(helloOf({ k: "none" }))], admission({ open: true }))).toBe("admit");
    expect(answer([frame(helloOf({ k: "mtls" }, { node: "gamma" }))])).toBe(
      "refuse 4401 the certificate does not name this node",
    );
  });

  test("refuses another version or codec, a frame out of place, and a handshake that takes too long", () => {
    const auth = { k: "token", token: "right" } as const;
    expect(answer([frame(helloOf(auth, { v: [2, 3] }))])).toBe("refuse 4406 this node speaks version 1, not 2, 3");
    expect(answer([frame(helloOf(auth, { v: [2, 1] }))])).toBe("admit");
    expect(answer([frame(helloOf(auth, { codec: "msgpack" }))])).toBe(
      "refuse 4406 the codec of this connection is json",
    );
    expect(answer([frame({ t: "A", a: 0, l: 0 })])).toBe(
      "refuse 4400 a frame A does not belong into this place of the handshake",
    );
    expect(answer([{ type: "timeout" }, frame(helloOf(auth))])).toBe("refuse 4408 the handshake took too long");
    expect(answer([{ type: "signed", sig: "" }])).toBe("refuse 4500 signed without being asked");
  });
});

/** Plays both sides over an honest line; `bend` may change what the dialer or the listener says. */
function meet(bend: {
  readonly dialerSigns?: (bytes: Uint8Array) => string;
  readonly listenerSigns?: (bytes: Uint8Array) => string;
  readonly admission?: Partial<AdmissionRules>;
  readonly introduction?: Partial<IntroductionRules>;
  readonly welcome?: Partial<Welcome>;
}): string {
  const inner = introduction(bend.introduction);
  const outer = admission(bend.admission);
  let there: AdmissionState = { phase: "silent" };
  let here: IntroductionState = { phase: "greeting" };
  const toListener: AdmissionInput[] = [frame(inner.hello)];
  const toDialer: Parameters<typeof stepIntroduction>[1][] = [];
  const words: string[] = [];
  while (toListener.length + toDialer.length > 0) {
    const asked = toListener.shift();
    if (asked !== undefined) {
      const [next, effects] = stepAdmission(there, asked, outer);
      there = next;
      for (const effect of effects) {
        if (effect.type === "send") toDialer.push({ type: "frame", frame: effect.frame });
        else if (effect.type === "sign")
          toListener.push({ type: "signed", sig: (bend.listenerSigns ?? listener.sign)(effect.bytes) });
        else if (effect.type === "refuse") words.push(`the listener refuses: ${effect.reason}`);
        else {
          words.push("admitted");
          const proved = effect.sig === undefined ? {} : { sig: effect.sig };
          toDialer.push({ type: "frame", frame: { ...welcome, ...proved, ...bend.welcome } });
        }
      }
    }
    const told = toDialer.shift();
    if (told === undefined) continue;
    const [next, effects] = stepIntroduction(here, told, inner);
    here = next;
    for (const effect of effects) {
      if (effect.type === "send") toListener.push(frame(effect.frame));
      else if (effect.type === "sign")
        toDialer.push({ type: "signed", sig: (bend.dialerSigns ?? dialer.sign)(effect.bytes) });
      else if (effect.type === "refuse") words.push(`the dialer refuses: ${effect.reason}`);
      else words.push("welcomed");
    }
  }
  return words.join(", ");
}

describe("two keys", () => {
  test("prove themselves to each other", () => {
    expect(meet({})).toBe("admitted, welcomed");
    expect(meet({ admission: { binding: "ab" }, introduction: { binding: "ab" } })).toBe("admitted, welcomed");
  });

  test("a proof made on another channel does not hold: somebody stands between", () => {
    expect(meet({ admission: { binding: "ab" }, introduction: { binding: "cd" } })).toBe(
      "the listener refuses: the proof does not hold",
    );
  });

  test("a dialer without the private key is refused", () => {
    expect(meet({ dialerSigns: stranger.sign })).toBe("the listener refuses: the proof does not hold");
  });

  test("a listener with another key, without the private key, or without proof is refused", () => {
    expect(meet({ admission: { key: stranger.key } })).toMatch(/the dialer refuses: the key of node beta is not/);
    expect(meet({ listenerSigns: stranger.sign })).toMatch(/the dialer refuses: the other side did not prove/);
    expect(meet({ welcome: { node: "gamma" } })).toMatch(/the dialer refuses: the other side did not prove/);
    const [, effects] = stepIntroduction({ phase: "greeting" }, { type: "frame", frame: welcome }, introduction());
    expect(effects).toMatchObject([{ type: "refuse", code: 4401 }]);
  });

  test("the two sides sign different bytes, so neither can give back the other's proof", () => {
    const subject = { dialer: { ...helloOf({ k: "none" }), key: "a" }, listener: admission(), binding: "" };
    expect(proofBytes("dialer", subject)).not.toEqual(proofBytes("listener", subject));
    expect(Buffer.from(proofBytes("dialer", subject)).toString()).toMatch(/^troupe-v1\ndialer\nalpha\na1\n/);
  });
});

describe("a dialer", () => {
  const told = (input: Parameters<typeof stepIntroduction>[1]): unknown =>
    stepIntroduction({ phase: "greeting" }, input, introduction({ hello: helloOf({ k: "token", token: "t" }) }))[1];

  test("takes a welcome to its token, and hears why it was refused", () => {
    expect(told({ type: "frame", frame: welcome })).toMatchObject([{ type: "welcome" }]);
    expect(told({ type: "frame", frame: { t: "E", code: 4429, message: "slow", retryAfterMs: 5 } })).toEqual([
      { type: "refuse", code: 4429, reason: "slow", retryAfterMs: 5 },
    ]);
    expect(told({ type: "timeout" })).toMatchObject([{ code: 4408 }]);
    expect(told({ type: "frame", frame: { t: "A", a: 0, l: 0 } })).toMatchObject([{ code: 4400 }]);
    expect(told({ type: "signed", sig: "" })).toMatchObject([{ code: 4500 }]);
    const challenge = { t: "C", nonce: "", node: "beta", inc: "b1", key: listener.key } as const;
    expect(told({ type: "frame", frame: challenge })).toMatchObject([{ code: 4400 }]);
  });
});

describe("grants", () => {
  test("cover exactly what they name, or what begins as they do", () => {
    const grants = ["tell:/agents/*", "watch:*", "spawn:worker@1"];
    expect(isGranted(grants, "tell", "/agents/a")).toBe(true);
    expect(isGranted(grants, "tell", "/private/a")).toBe(false);
    expect(isGranted(grants, "watch", "/private/a")).toBe(true);
    expect(isGranted(grants, "spawn", "worker@1")).toBe(true);
    expect(isGranted(grants, "spawn", "worker@10")).toBe(false);
    expect(isGranted([], "tell", "/agents/a")).toBe(false);
  });
});

describe("a token bucket", () => {
  test("lets a burst through, then the rate, and says how long to wait", () => {
    const plan = { perSecond: 10, burst: 2 };
    let bucket: Bucket | undefined;
    const take = (now: number): number => {
      const taken = takeToken(bucket, now, plan);
      ({ bucket } = taken);
      return taken.waitMs;
    };
    expect([take(0), take(0), take(0), take(50), take(100), take(100)]).toEqual([0, 0, 100, 50, 0, 100]);
    expect([take(60_000), take(60_000), take(60_000)]).toEqual([0, 0, 100]);
  });
});
