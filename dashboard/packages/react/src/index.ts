export { ApiClient, ApiError } from "@guruconnect/api";
export type { ConnectionState, Quality, Scale, ViewerStats } from "@guruconnect/viewer";
export { ConsentStatus } from "./ConsentStatus.tsx";
export { GuruConnectViewer, type GuruConnectViewerProps } from "./GuruConnectViewer.tsx";
export { useViewerSnapshot, useViewerStats } from "./hooks.ts";
