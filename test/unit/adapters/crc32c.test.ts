import { describe, expect, it } from "@jest/globals";
import { crc32c } from "../../../shared/adapters/crc32c.ts";

describe("crc32c", () => {
  // The check value of the CRC catalogue, and RFC 3720 appendix B.4.
  it.each([
    ["123456789", Buffer.from("123456789"), 0xe3069283],
    ["nothing", Buffer.alloc(0), 0],
    ["32 zeros", Buffer.alloc(32), 0x8a9136aa],
    ["32 bytes of ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
    ["32 ascending bytes", Buffer.from(Array.from({ length: 32 }, (_, n) => n)), 0x46dd794e],
  ])("of %s", (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});
