import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { html, source } from "../../../../functions/sync-mesh/page/html.ts";

const text = (value: string): string => source(html`${value}`);

describe("html", () => {
  it.each([
    ["an element", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["the end of a style", "</style><b>", "&lt;/style&gt;&lt;b&gt;"],
    ["the end of an attribute", `"><script>`, "&quot;&gt;&lt;script&gt;"],
    ["an attribute in single quotes", "' onclick='x", "&#39; onclick=&#39;x"],
    ["an entity", "&lt;&amp;", "&amp;lt;&amp;amp;"],
    ["a comment", "<!-- -->", "&lt;!-- --&gt;"],
    ["a turn of the direction", "a\u202egpj.exe", "a\\u{202e}gpj.exe"],
    ["an isolate", "\u2066x\u2069", "\\u{2066}x\\u{2069}"],
    ["a mark of direction", "a\u200fb\u061cc", "a\\u{200f}b\\u{61c}c"],
    ["controls", "\u0000\u0007\u001b[31m\r\u0085", "\\u{0}\\u{7}\\u{1b}[31m\\u{d}\\u{85}"],
    ["a space of no width", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
    ["a separator of lines", "a\u2028b", "a\\u{2028}b"],
    ["half a character", "a\ud800b", "a\\u{d800}b"],
    ["an invisible tag", "a\u{e0041}", "a\\u{e0041}"],
  ])("shows %s as what it is", (_, value, expected) => {
    expect(text(value)).toBe(expected);
  });

  it.each([
    ["line breaks and tabs", "a\n\tb"],
    ["other scripts", "שלום – 你好 – नमस्‍ते"],
    ["emoji that are joined", "👩‍🚀"],
  ])("leaves %s alone", (_, value) => {
    expect(text(value)).toBe(value);
  });

  it("takes markup as it is, lists one after the other, and nothing for undefined", () => {
    const items = ["a", "<"].map((each) => html`<li>${each}</li>`);
    expect(source(html`<ul>${items}${undefined}${7}</ul>`)).toBe("<ul><li>a</li><li>&lt;</li>7</ul>");
  });

  it("never lets a value out of its element or attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(text(value)).not.toMatch(/[<>"']/);
      }),
    );
  });
});
