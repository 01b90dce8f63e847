import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Refused, TurnResult } from "../../ports/store.ts";
import { opList, opNumber, type Word } from "./ops.ts";

type Refusal = TurnResult & { readonly ok: false };

function refuse(refused: Refused, subject: Word | undefined): Refusal {
  return { ok: false, refused, subject: String(subject) };
}

/** Applies packed turns to an open database. The caller begins and ends the transaction. */
export class Writer {
  readonly #statements: readonly StatementSync[];
  readonly #runHolder: StatementSync;
  readonly #factAt: StatementSync;
  readonly #definitionHash: StatementSync;

  constructor(db: DatabaseSync) {
    this.#statements = opList.map(({ sql }) => db.prepare(sql));
    this.#runHolder = db.prepare("SELECT id FROM run WHERE id = ? OR (namespace = ? AND key = ?)");
    this.#factAt = db.prepare("SELECT 1 FROM fact WHERE run = ? AND seq = ?");
    this.#definitionHash = db.prepare("SELECT hash FROM definition WHERE namespace = ? AND key = ? AND version = ?");
  }

  /**
   * Applies the turn whose operations stand in `words` from `from` to `to`. Undefined when all of it was applied;
   * `torn` when it was refused after its first write, so that the transaction must not be committed as it is.
   */
  apply(
    words: readonly Word[],
    from: number,
    to: number,
  ): { readonly refusal: Refusal; readonly torn: boolean } | undefined {
    let torn = false;
    for (let at = from; at < to;) {
      const number = words[at] as number;
      const op = opList[number];
      const statement = this.#statements[number];
      if (op === undefined || statement === undefined) throw new Error(`there is no operation ${number}`);
      const values = words.slice(at + 1, at + 1 + op.takes);
      const isDone = op.asks === true ? statement.get(...values) !== undefined : statement.run(...values).changes !== 0;
      if (!isDone && op.refused !== undefined) {
        const refusal = this.#explain(number, values, refuse(op.refused.as, values[op.refused.subject]));
        if (refusal !== undefined) return { refusal, torn };
      }
      torn ||= isDone && op.asks !== true;
      at += 1 + op.takes;
    }
    return undefined;
  }

  /** Says more exactly why nothing was changed; undefined where it is no refusal after all. */
  #explain(number: number, values: readonly Word[], refusal: Refusal): Refusal | undefined {
    if (number === opNumber.createRun) {
      const [id, namespace] = values;
      const key = values[6];
      const holder = this.#runHolder.get(id ?? null, namespace ?? null, key ?? null)?.["id"];
      return refuse("run-exists", holder as string);
    }
    if (number === opNumber.createFact) {
      const [run, seq] = values;
      const isTaken = this.#factAt.get(run ?? null, seq ?? null) !== undefined;
      return isTaken ? refuse("seq-taken", `${run ?? ""}#${seq ?? ""}`) : refuse("message-known", values[6]);
    }
    if (number === opNumber.define) {
      const [namespace, key, version] = values;
      const known = this.#definitionHash.get(namespace ?? null, key ?? null, version ?? null)?.["hash"];
      return known === values[4] ? undefined : refuse("version-taken", `${key ?? ""}@${version ?? ""}`);
    }
    return refusal;
  }
}
