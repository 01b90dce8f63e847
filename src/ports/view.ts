/**
 * What a view is given: one feed, questions, and commands. A view imports nothing else of the runtime, so that a
 * dashboard, an inspector or a terminal can be changed without the rooms below.
 */
export interface View<Event, Filter, Queries, Commands> {
  events(filter?: Filter): AsyncIterable<Event> & AsyncDisposable;
  readonly queries: Queries;
  readonly commands: Commands;
}

/** What an operator may do to a running agent, by its path. Each throws `usage/unknown-agent` for a path nobody has. */
export interface AgentCommands {
  pause(path: string): void;
  resume(path: string): void;
  stop(path: string): Promise<void>;
  kill(path: string, reason?: string): void;
}
