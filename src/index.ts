export { defineAgent, type AgentDefinition, type OutcomeOf } from "./agent/define.ts";
export { machineAgent } from "./agent/machine-agent.ts";
export type { CallStream } from "./agent/call-stream.ts";
export type {
  Budget,
  CallOptions,
  HandlerContext,
  Peer,
  Progress,
  StreamOptions,
  TellOptions,
  TellResult,
} from "./agent/context.ts";
export { makeEquivocate } from "./consensus/byzantine.ts";
export { signBallot } from "./consensus/ballot.ts";
export type { Decision, Execution } from "./consensus/decision.ts";
export { createMember, createSigner } from "./consensus/ed25519.ts";
export { analyzeElectorate, capWeights, defineElectorate } from "./consensus/electorate.ts";
export {
  concern,
  decisionQuestion,
  opinion,
  opinionCapability,
  type Concern,
  type DecisionQuestion,
  type Opinion,
} from "./consensus/opinion/opinion.ts";
export { forensics, type CertificateConflict, type Forensics } from "./consensus/forensics/forensics.ts";
export type { Accusation, ForensicsOptions } from "./consensus/forensics/blame.ts";
export { encodeTranscript, exportTranscript, type TranscriptExport } from "./consensus/forensics/transcript.ts";
export { signProposal } from "./consensus/proposal.ts";
export { proveKey, verifyKeyProof } from "./consensus/registration/possession.ts";
export { renderDecision } from "./consensus/report.ts";
export {
  accuseOfOmission,
  encodeCertificate,
  encodeElectorate,
  verifyCertificate,
  verifyCertificateBytes,
  verifyEvidence,
} from "./consensus/verify.ts";
export { weighVoters, type VerifiedOutcome } from "./consensus/weights/weigh-voters.ts";
export { joinAsParticipant } from "./consensus/participant/participant.ts";
export type { Participant, Voter } from "./consensus/voter.ts";
export type { StepKind } from "../machines/workflow/kinds/kind.ts";
export type { AgentInfo } from "./dispatch/info.ts";
export type { AgentRef } from "./dispatch/ref.ts";
export { TroupeError, isTroupeError } from "./errors.ts";
export type { Clock } from "./ports/clock.ts";
export type { Inspector, InspectorPlace } from "./ports/inspection.ts";
export type { Model, ModelReply, ModelRequest } from "./ports/model.ts";
export type { Signer } from "./ports/signer.ts";
export type { LogEntry, Store } from "./ports/store.ts";
export type { StreamEvent } from "./stream/stream.ts";
export type { Emitted, EmitOptions } from "./workflow/desk/event-desk.ts";
export type { EventSink, EventSource } from "./workflow/desk/event-source.ts";
export type { HistoryEntry } from "./workflow/view/history.ts";
export type { TaskInfo } from "./workflow/desk/outside-tasks.ts";
export type { ReplayReport } from "./workflow/view/replay.ts";
export type { RunActorRef, RunSnapshot } from "./workflow/run/run-actor.ts";
export type { Patched, RunHandle } from "./workflow/run-handle.ts";
export type { TaskRecord } from "./workflow/run/run-input.ts";
export type { RunOptions } from "./workflow/run-options.ts";
export type { CurrentStep, RunInfo, RunReport } from "./workflow/view/run-report.ts";
export type { StepRecord } from "./workflow/view/steps.ts";
export type { Tasks } from "./workflow/tasks.ts";
export type { WorkflowMetrics } from "./workflow/view/workflow-metrics.ts";
export type { DefineOptions, LoadDefinitions, Runs, WorkflowCatalogue, WorkflowInfo } from "./workflow/workflows.ts";
export type { Down } from "./system/watch.ts";
export { masterWorker, peerToPeer, type MasterWorkerPlan, type PeerPlan } from "./troupe/coordinate.ts";
export { createTroupe } from "./troupe/create.ts";
export type { AgentVoter, DecideOptions } from "./troupe/decide.ts";
export type { Pem, TlsIdentity } from "./listen/tls.ts";
export type { PeerAuth } from "./troupe/network/auth.ts";
export type { JoinOptions, Membership } from "./troupe/network/membership.ts";
export type { Discovery } from "./ports/discovery.ts";
export type { ConnectOptions, Listener, ListenOptions, RemotePeer } from "./troupe/network/doors.ts";
export { voterAgent, voterAt } from "./troupe/network/remote-voter.ts";
export type { SpawnOptions, SupervisionTree, TroupeOptions } from "./troupe/options.ts";
export type { Swarm, SwarmMember, SwarmOptions } from "./troupe/swarm.ts";
export type { SupervisorRef, Troupe, TroupeView } from "./troupe/troupe.ts";
export type { Degradation, Failure, Json, Outcome } from "../machines/failure.ts";
export type { Certificate } from "../machines/consensus/certificate/certificate.ts";
export type { AgreementEvidence } from "./consensus/bft/evidence.ts";
export type { Evidence } from "../machines/consensus/certificate/evidence.ts";
export type { Omission } from "../machines/consensus/certificate/omission.ts";
export type { QuorumCertificate, SignedReceipt } from "../machines/consensus/codec/messages.ts";
export type { TranscriptVerdict } from "../machines/consensus/certificate/transcript.ts";
export type { Transcript } from "../machines/consensus/codec/statement-messages.ts";
export type { CertificateVerdict } from "../machines/consensus/certificate/verify.ts";
export type { KeyProof } from "../machines/consensus/electorate/possession.ts";
export type { Electorate, Member } from "../machines/consensus/electorate/electorate.ts";
export { $ } from "../machines/workflow/expression/recorder.ts";
