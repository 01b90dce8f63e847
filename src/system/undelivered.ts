import type { Mailbox } from "../../machines/mailbox/mailbox.ts";
import type { Cell } from "./cell.ts";
import type { Delivery } from "./delivery.ts";
import { droppedOutcome, refusedOutcome } from "./verdicts.ts";

/** What became of a message at the mailbox. */
export type Posted = "accepted" | "busy" | "stopped" | "dropped";

/** Puts a message into a mailbox, as its bound and its overflow allow. */
export function offerTo(cell: Cell, mailbox: Mailbox<Delivery>, delivery: Delivery): Posted {
  const offer = mailbox.offer(delivery, delivery.lane);
  if (offer.kind === "busy") return "busy";
  if (offer.kind !== "dropped") return "accepted";
  dropDelivery(cell, offer.dropped);
  return offer.dropped === delivery ? "dropped" : "accepted";
}

/** Answers a message that had to make room; one that has its outcome already is no loss. */
function dropDelivery(cell: Cell, delivery: Delivery): void {
  if (delivery.settled) return;
  cell.core.deadLetters.add("overflow", cell.path, delivery.skill.name);
  delivery.settle(droppedOutcome(cell.path));
}

/** Answers everything that waits for an agent that will not come back. */
export function refuseAll(cell: Cell, mailbox: Mailbox<Delivery> | undefined): void {
  for (let delivery = mailbox?.take(); delivery !== undefined; delivery = mailbox?.take()) {
    if (delivery.settled) continue;
    if (delivery.sender === undefined) cell.core.deadLetters.add("stopped", cell.path, delivery.skill.name);
    delivery.settle(refusedOutcome(cell.path, delivery));
  }
}
