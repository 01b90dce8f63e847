/**
 * Every code is declared once, here; `docs/errors.md` is generated from these tables.
 */

/** When a caller may try again: at once, after a wait, or never (the same request would fail the same way). */
export type RetryAdvice = "now" | "later" | "never";

interface CodeEntry {
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly fix: string;
  readonly retry: RetryAdvice;
}

/** Failures: the world did what worlds do. They travel in outcomes. */
export const failureCodes = {
  "agent/crashed": {
    meaning: "The agent's handler threw while it worked on this call.",
    fix: "Read data.cause; declare the capability idempotent to have it retried after the restart.",
    retry: "later",
  },
  "agent/stopped": {
    meaning: "The agent stopped before this call was started; nothing of it ran.",
    fix: "Call again: another agent may take it, or spawn one.",
    retry: "now",
  },
  "agent/start-failed": {
    meaning: "The agent's start hook failed, so the agent never became ready.",
    fix: "Read data.cause and mend the start hook or what it depends on.",
    retry: "later",
  },
  "agent/invalid-output": {
    meaning: "The handler returned a value that its own output schema refuses.",
    fix: "Mend the handler or its output schema; data.issues names each path.",
    retry: "never",
  },
  "call/invalid-input": {
    meaning: "The input does not fit the capability's input schema.",
    fix: "Correct the input; data.issues names each path.",
    retry: "never",
  },
  "call/timeout": {
    meaning: "No outcome arrived before the deadline; the handler was told to abort.",
    fix: "Raise timeoutMs, or make the handler watch its signal and finish earlier.",
    retry: "later",
  },
  "call/cancelled": {
    meaning: "The caller aborted the call.",
    fix: "Nothing to mend: the caller's AbortSignal fired.",
    retry: "never",
  },
  "call/busy": {
    meaning: "The agent's mailbox is full.",
    fix: "Slow down, raise mailbox.capacity, or spawn more agents.",
    retry: "later",
  },
  "call/dropped": {
    meaning: "The mailbox overflowed and its policy dropped this call before it was started.",
    fix: 'Slow down, raise mailbox.capacity, or choose the overflow policy "busy".',
    retry: "later",
  },
  "call/budget-exhausted": {
    meaning: "The budget of calls, tokens or cost that this call drew on is used up.",
    fix: "Give the first call a larger budget; 0 means none, a missing field means no limit.",
    retry: "never",
  },
  "call/rejected": {
    meaning: "The handler refused the call with a failure of its own.",
    fix: "Read message and data: they are the agent's own words.",
    retry: "never",
  },
  "dispatch/no-agent": {
    meaning: "No running agent offers this capability.",
    fix: "Spawn an agent that declares it; data.known lists the capabilities there are.",
    retry: "later",
  },
  "dispatch/unavailable": {
    meaning: "Agents offer this capability, but each is paused, suspect, draining or behind an open breaker.",
    fix: "Wait and call again, or look at troupe.agents.find(capability).",
    retry: "later",
  },
  "dispatch/stage-failed": {
    meaning: "A stage or a fallback of your own threw while it worked on this call.",
    fix: "Mend the function that data.stage names: stages and fallbacks are pure and never throw.",
    retry: "never",
  },
  "swarm/not-linked": {
    meaning: "The swarm's topology has no link from the sender to that member.",
    fix: "Call a linked member (swarm.peers) or choose a topology with that link.",
    retry: "never",
  },
  "system/full": {
    meaning: "The cap on resident actors is reached.",
    fix: "Stop agents that are no longer needed, or raise limits.residentActors.",
    retry: "later",
  },
  "system/closed": {
    meaning: "The troupe is closed.",
    fix: "Create a new troupe.",
    retry: "never",
  },
  "remote/indeterminate": {
    meaning: "The link died while the call was out: it may or may not have run.",
    fix: "Ask again with the same idempotency key.",
    retry: "later",
  },
  "remote/unreachable": {
    meaning: "There is no session with the node; nothing was sent.",
    fix: "Wait for the node to come back, or call another one; data.node names it.",
    retry: "later",
  },
  "remote/full": {
    meaning: "Too much waits already to be sent to the node, which reads too slowly; this was not sent.",
    fix: "Slow down, or spread the calls over more nodes.",
    retry: "later",
  },
  "remote/forbidden": {
    meaning: "The node does not grant this to its peer.",
    fix: "Ask the node's owner for a grant; data.needs says which.",
    retry: "never",
  },
  "remote/unsendable": {
    meaning: "The value cannot travel: it is a function, a class instance, a cycle, or nests too deep.",
    fix: "Send plain data; data.path says where it is.",
    retry: "never",
  },
  "remote/overrun": {
    meaning: "The node sent more items of a stream than it was granted; the stream was ended.",
    fix: "Update the node: it does not wait for its reader, as the protocol asks.",
    retry: "never",
  },
  "remote/hops-exhausted": {
    meaning: "The message was passed on from node to node too often.",
    fix: "Look for nodes that pass the same message to each other in a circle.",
    retry: "never",
  },
  "store/in-use": {
    meaning: "Another process owns the store file.",
    fix: "Stop that process (data.pid), or use another file; reading and operating beside it is possible.",
    retry: "later",
  },
  "store/corrupt": {
    meaning: "The file is damaged, or it is not a store of Troupe.",
    fix: "Restore it from a backup, or name another file; nothing in it was changed.",
    retry: "never",
  },
  "store/newer": {
    meaning: "The store file was written by a newer version of Troupe.",
    fix: "Use that version, or another file.",
    retry: "never",
  },
  "store/failed": {
    meaning: "The store could not do its work: the disk is full, the file is gone, or it may not be written.",
    fix: "Read the message, mend the disk or the permissions, and start again: nothing acknowledged is lost.",
    retry: "later",
  },
  "consensus/bad-proposal": {
    meaning: "A voter was asked to vote on a proposal that is malformed, unsigned, or not the question it was shown.",
    fix: "Ask with the proposal, question and electorate that the coordinator signed; the message says what differs.",
    retry: "never",
  },
  "consensus/not-seated": {
    meaning: "A voter elsewhere cannot take part in an agreement of mode bft with a replica of its own.",
    fix: "Read the message; give voterAgent a store that outlives its process, and ask as mode bft does.",
    retry: "never",
  },
  "workflow/expression": {
    meaning: "An expression of the definition could not be computed with the values of this run.",
    fix: "Read the message: it names the path or the operator; set the value first, or write default(path, value).",
    retry: "never",
  },
  "workflow/source-failed": {
    meaning: "An event source could not be opened, so the troupe did not start.",
    fix: "See the message for the source's own reason; data.source names it.",
    retry: "never",
  },
  "workflow/invalid-input": {
    meaning: "The input does not fit the definition's input schema.",
    fix: "Correct the input; data.issues names each path.",
    retry: "never",
  },
  "workflow/invalid-output": {
    meaning: "The result of a step or of the run does not fit the schema that the definition declares for it.",
    fix: "Mend the agent, the output mapping or the schema; data.issues names each path.",
    retry: "never",
  },
  "workflow/step-timeout": {
    meaning: "The step was not done within its timeout.",
    fix: "Raise the step's timeout, or give it onError for workflow/step-timeout.",
    retry: "later",
  },
  "workflow/timeout": {
    meaning: "The run was not done within its timeoutMs.",
    fix: "Raise timeoutMs, or make the run do less.",
    retry: "never",
  },
  "workflow/no-branch": {
    meaning: "The value of a decision has no branch of that name, and there is no default.",
    fix: "Add the branch, or a default; data.value is what was decided on.",
    retry: "never",
  },
  "workflow/write-conflict": {
    meaning: "Branches that ran side by side wrote the same variable, and no merge rule says which value counts.",
    fix: 'Declare merge for the variable: "list", "last" or an expression of $.values; or write to two variables.',
    retry: "never",
  },
  "workflow/too-few-branches": {
    meaning: "Too few branches completed for the step's join rule.",
    fix: "Read data.failures: the code of each branch that failed.",
    retry: "later",
  },
  "workflow/dependency-failed": {
    meaning: "A branch was not started, because a branch that it comes after failed.",
    fix: "Mend that branch first: data.after names it.",
    retry: "later",
  },
  "workflow/too-many-items": {
    meaning: "A map was given more items than one step may have.",
    fix: "Split the list over several steps or sub-workflows, or give one item several entries.",
    retry: "never",
  },
  "workflow/too-many-rounds": {
    meaning: "A loop did not end within its most rounds.",
    fix: "Raise loop.max, or mend the condition that should end the loop.",
    retry: "never",
  },
  "workflow/failed-by-definition": {
    meaning: "The definition leads to $fail.",
    fix: "Nothing to mend in the runtime: the definition says that this is a failure.",
    retry: "never",
  },
  "workflow/endless": {
    meaning: "Steps led to steps without ever waiting for anything.",
    fix: "Give the cycle a step that waits (a task, a wait, an event), or a condition that ends it.",
    retry: "never",
  },
  "workflow/unknown-definition": {
    meaning: "No workflow is defined under this key.",
    fix: "Define it before the step that starts it runs; data.workflow is the key.",
    retry: "later",
  },
  "workflow/cancelled": {
    meaning: "The run was cancelled.",
    fix: "Nothing to mend: somebody stopped it; data.reason is what they said.",
    retry: "never",
  },
  "workflow/invalid-signal": {
    meaning: "The payload of a signal does not fit the form of the step that waits for it.",
    fix: "Send the signal again with a payload that fits; data.issues names each path.",
    retry: "never",
  },
  "workflow/too-many-signals": {
    meaning: "Too many signals wait in this run for steps that have not come yet.",
    fix: "Wait until the run has taken some.",
    retry: "later",
  },
  "workflow/shell-unknown": {
    meaning:
      "The task was written before its agent had said that a field is a shell command, so values stand in its text.",
    fix: "Spawn the agents before the run goes on; the step's retry, or a retry of the run, writes the task anew.",
    retry: "later",
  },
  "workflow/outcome-unknown": {
    meaning:
      "The process ended while a task that may run at most once was with its agent: nobody knows whether it ran.",
    fix: "Find out, then retry the run or stop it; or give the step onError for this code.",
    retry: "never",
  },
  "workflow/value-too-large": {
    meaning: "A value has more characters as JSON than one value may have.",
    fix: "Write it to a file and pass the path on.",
    retry: "never",
  },
  "workflow/not-waiting": {
    meaning: "The run takes this no more: it has ended, or nothing waits for it.",
    fix: "Look at the run's status first; a failed run goes on with retry.",
    retry: "never",
  },
  "workflow/blocked": {
    meaning: "The run's journal no longer leads to where it led before, so the run is left as it is.",
    fix: "Run it with the version of Troupe that wrote it, migrate it, or stop it; data.seq is the fact.",
    retry: "never",
  },
} as const satisfies Record<string, CodeEntry>;

/** Usage errors: the caller broke the contract. They are thrown at the call and never travel. */
export const usageCodes = {
  "usage/invalid-definition": {
    meaning: "A definition breaks its contract.",
    fix: "Mend the named field.",
    retry: "never",
  },
  "usage/invalid-options": {
    meaning: "An option has a value that is not allowed.",
    fix: "Use a value from the named range.",
    retry: "never",
  },
  "usage/name-taken": {
    meaning: "A live actor already has this name under the same supervisor.",
    fix: "Choose another name, or stop the first.",
    retry: "never",
  },
  "usage/unknown-agent": {
    meaning: "No agent of that name or path is known.",
    fix: "Pick one of the names listed.",
    retry: "never",
  },
  "usage/too-many-agents": {
    meaning: "A swarm was asked for more agents than its maxAgents.",
    fix: "Raise maxAgents or ask for fewer.",
    retry: "never",
  },
  "usage/invalid-electorate": {
    meaning: "The electorate cannot vote safely as given.",
    fix: "Mend the named member or weight.",
    retry: "never",
  },
  "usage/invalid-policy": {
    meaning: "The voting policy cannot be satisfied or contradicts itself.",
    fix: "Mend the named field.",
    retry: "never",
  },
  "usage/unknown-run": {
    meaning: "No run has this id.",
    fix: "See troupe.runs.list() for the ids there are.",
    retry: "never",
  },
  "usage/unknown-workflow": {
    meaning: "No workflow is defined under this key and version.",
    fix: "Define it first; see troupe.workflows.list().",
    retry: "never",
  },
  "usage/unknown-task": {
    meaning: "No open task has this id, or it was given to somebody else meanwhile.",
    fix: "Look it up with troupe.tasks.get; a result must bring the fence of its assignment.",
    retry: "never",
  },
  "usage/version-taken": {
    meaning: "This key and version is registered with other content.",
    fix: "Raise the version: runs under way stay on the one they began with.",
    retry: "never",
  },
  "usage/missing-peer": {
    meaning: "An optional package that this needs is not installed.",
    fix: "Install the named package.",
    retry: "never",
  },
  "usage/bad-argument": { meaning: "A command-line argument is missing or wrong.", fix: "See --help.", retry: "never" },
  "usage/bad-file": {
    meaning: "A file given to a command is missing, unreadable or malformed.",
    fix: "Mend the named file.",
    retry: "never",
  },
  "usage/broken-install": {
    meaning: "The command cannot start here: Node.js is too old, or the package was not built.",
    fix: "Do what the message says.",
    retry: "never",
  },
  "usage/closed": {
    meaning: "The troupe was closed before this operation.",
    fix: "Create a new troupe.",
    retry: "never",
  },
} as const satisfies Record<string, CodeEntry>;
