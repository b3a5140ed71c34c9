export { ApiClient, type ApiClientOptions } from "./client.ts";
export { ApiError, isUnreachable, UnreachableError } from "./errors.ts";
export { EventStream, type LiveEvent, type LiveState } from "./events.ts";
export type * from "./types.ts";
