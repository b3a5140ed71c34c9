/** The line that brings a machine in. */
export function enrolCommand(system: "linux" | "windows", server: string, token: string): string {
  return system === "windows"
    ? `guruconnect-agent.exe --server ${server} --token ${token}`
    : `sudo ./guruconnect-agent --server ${server} --token ${token}`;
}
