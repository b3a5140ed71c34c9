import { describe, expect, it } from "vitest";
import { secureAttention } from "./chords.ts";
import { LocalPinStore } from "./pins.ts";

describe("LocalPinStore", () => {
  it("remembers a machine's key across visits, and forgets it when told", () => {
    new LocalPinStore().set("m1", "key");

    expect(new LocalPinStore().get("m1")).toBe("key");
    expect(new LocalPinStore().get("m2")).toBeNull();

    new LocalPinStore().delete("m1");
    expect(new LocalPinStore().get("m1")).toBeNull();
  });
});

describe("secureAttention", () => {
  it("needs a privileged agent on Windows and three keys elsewhere", () => {
    expect(secureAttention("windows", [])).toBeNull();
    expect(secureAttention("windows", ["secure_attention"])).toEqual({ kind: "secure_attention" });
    expect(secureAttention("linux", [])).toMatchObject({ kind: "keys" });
  });
});
