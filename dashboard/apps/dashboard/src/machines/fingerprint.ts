import { useEffect, useState } from "react";

/** The SHA-256 of a machine's key, as people compare keys: eight groups of four. */
export function useFingerprint(publicKeyBase64: string): string | null {
  const [fingerprint, setFingerprint] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    describeKey(publicKeyBase64).then((text) => {
      if (current) setFingerprint(text);
    });
    return () => {
      current = false;
    };
  }, [publicKeyBase64]);
  return fingerprint;
}

async function describeKey(publicKeyBase64: string): Promise<string | null> {
  try {
    const key = Uint8Array.from(atob(publicKeyBase64), (char) => char.charCodeAt(0));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", key));
    const hex = [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.match(/.{4}/g)?.join(" ") ?? null;
  } catch {
    // Not base64, or a page without a secure origin.
    return null;
  }
}
