import { createHash } from "node:crypto";
import { type Html, html, source } from "./html.ts";

/** Contrast to the background: text at least 4.5 : 1, lines that carry a meaning 3 : 1. */
const STYLE: Html = html`
:root{color-scheme:light dark;
--page:#f5f6f8;--surface:#fff;--raised:#eef0f4;--ink:#191e27;--muted:#566072;--rule:#dcdfe6;--link:#2449c4;--strong:#2449c4;--on-strong:#fff;
--synced:#167052;--syncing:#1d5bbd;--timeout:#8f5200;--closed:#b3261e;--missing:#98237a;--unknown:#566072;
--synced-soft:#e2f2ea;--syncing-soft:#e1ecfb;--timeout-soft:#fbecd2;--closed-soft:#fbe4e1;--missing-soft:#f9e3f3;--unknown-soft:#e6e9ee;
--network:#e9ecf3;--line:#3f9178}
@media (prefers-color-scheme:dark){:root{
--page:#10141b;--surface:#181d26;--raised:#212733;--ink:#e5e8ee;--muted:#a0aabb;--rule:#2c3442;--link:#9db8ff;--strong:#9db8ff;--on-strong:#10141b;
--synced:#62cb9d;--syncing:#84b5f8;--timeout:#e9ad57;--closed:#f58f86;--missing:#ea97d3;--unknown:#a9b2c1;
--synced-soft:#173529;--syncing-soft:#1a2f4c;--timeout-soft:#40300f;--closed-soft:#481f1d;--missing-soft:#431c39;--unknown-soft:#2a313d;
--network:#202735;--line:#3f7d66}}
*{box-sizing:border-box}
html{scroll-padding-top:4rem;-webkit-text-size-adjust:100%;text-size-adjust:100%}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main,footer,.bar>div{max-width:84rem;margin:0 auto;padding:0 1.25rem}
main:focus{outline:none}
h1,h2,h3,p,ul,dl,dd,figure{margin:0}
ul{padding:0;list-style:none}
h1{font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
h3{font-size:1rem;line-height:1.4;font-weight:600}
h2{font-size:1.15rem;line-height:1.3;font-weight:650;margin-bottom:.75rem}
a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
a:hover{text-decoration-thickness:2px}
code{font:.875em/1.4 ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
small{font-size:.8125rem}
.muted,.note,.hint,figcaption{color:var(--muted)}
.hint,figcaption,caption,footer{font-size:.875rem}
.warn{color:var(--timeout);font-weight:600}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:1rem;top:-4rem;z-index:9;padding:.5rem 1rem;background:var(--strong);color:var(--on-strong);border-radius:0 0 6px 6px}
.skip:focus{top:0}
.bar{position:sticky;top:0;z-index:5;background:var(--surface);border-bottom:1px solid var(--rule);font-size:.875rem}
.bar>div{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;justify-content:space-between;align-items:center;min-height:3rem}
.bar ul,footer ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
.bar ul a{display:block;padding:.5rem 0;color:var(--ink);text-decoration:none}
.bar ul a:hover{text-decoration:underline}
.refresh{color:var(--muted)}
.refresh a{margin-left:.5rem}
.head{padding:2rem 0 1.25rem}
.head .muted{font-weight:400}
.verdict{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center;margin-top:.6rem}
section{margin:1.25rem 0;padding:1.25rem;background:var(--surface);border:1px solid var(--rule);border-radius:10px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1px;background:var(--rule);border:1px solid var(--rule);border-radius:10px;overflow:hidden}
.tile{display:flex;flex-direction:column;padding:.85rem 1.25rem;background:var(--surface);min-width:0}
.tile dt{font-size:.8125rem;color:var(--muted)}
.tile dd{font-size:1.375rem;line-height:1.35;font-weight:600}
.tile small{font-size:.9375rem;font-weight:400;color:var(--muted)}
.tile .note{font-size:.8125rem;font-weight:400;line-height:1.4}
.tile.warning dd:not(.note){color:var(--timeout)}
.tile.error dd:not(.note){color:var(--closed)}
.tile.warning a,.tile.error a{color:inherit}
.alert{border-left-width:5px}
.alert.error{border-left-color:var(--closed)}
.alert.warning{border-left-color:var(--timeout)}
.alert h2{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin-bottom:.4rem}
.alert p+p,.alert ul,.alert form{margin-top:.5rem}
.alert p,.alert li{overflow-wrap:anywhere}
.cure strong{font-weight:600;margin-right:.35rem}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:5px;font-size:.8125rem;font-weight:600;line-height:1.5;background:var(--unknown-soft);color:var(--unknown)}
.badge.error,.badge.closed,.badge.failed{background:var(--closed-soft);color:var(--closed)}
.badge.warning,.badge.timeout,.badge.waiting{background:var(--timeout-soft);color:var(--timeout)}
.badge.good,.badge.synced{background:var(--synced-soft);color:var(--synced)}
.badge.info,.badge.syncing,.badge.created,.badge.updated{background:var(--syncing-soft);color:var(--syncing)}
.badge.missing,.badge.deleted{background:var(--missing-soft);color:var(--missing)}
.verdict .badge{font-size:.9375rem;padding:.15rem .65rem}
form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
.buttons{display:flex;gap:.35rem}
button{font:inherit;color:inherit;min-height:2.5rem;padding:.35rem .9rem;border:1px solid var(--muted);border-radius:7px;background:var(--surface);max-width:100%}
button{font-weight:600;cursor:pointer}
.members tbody th{max-width:14rem;white-space:normal;overflow-wrap:anywhere}
.small{min-height:1.75rem;padding:.05rem .6rem;font-size:.8125rem}
form+.hint{margin-top:.75rem}
.hint+.hint{margin-top:.35rem}
button:hover{background:var(--raised)}
.strong{background:var(--strong);border-color:var(--strong);color:var(--on-strong)}
.danger{background:var(--closed);border-color:var(--closed);color:var(--surface)}
.strong:hover{background:var(--strong);filter:brightness(1.1)}
.danger:hover{background:var(--closed);filter:brightness(1.1)}
.tick{display:flex;gap:.5rem;align-items:center}
.tick input{width:1.15rem;height:1.15rem;accent-color:var(--closed)}
.empty{color:var(--muted)}
.facts{display:flex;flex-wrap:wrap;gap:.35rem 2rem;margin-bottom:1rem}
p+.facts{margin-top:.75rem}
.scroll{position:relative;overflow:auto;max-width:100%;overscroll-behavior-x:contain}
.scroll+.hint,.hint+.scroll,.scroll+.scroll,.hint+.empty{margin-top:.75rem}
figcaption{margin-top:.5rem}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:.875rem}
caption{text-align:left;padding-bottom:.4rem;font-weight:600}
caption span{position:sticky;left:0;display:inline-block;max-width:calc(100vw - 4rem)}
th,td{padding:.45rem .9rem .45rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);font-weight:400;white-space:nowrap}
thead th{position:sticky;top:0;z-index:2;background:var(--surface);color:var(--muted);font-size:.8125rem;vertical-align:bottom}
tbody th{font-weight:600}
tbody:last-child tr:last-child>*{border-bottom:0}
th small,td small{display:block;color:var(--muted);font-weight:400}
.pods{min-width:15rem;white-space:normal}
li.warn{font-weight:400}
.prose{min-width:24rem;max-width:38rem;white-space:pre-line;overflow-wrap:anywhere}
tr:target>*{background:var(--syncing-soft)}
.group{margin-top:1rem;padding-top:1rem;border-top:1px solid var(--rule)}
.group h3 .muted{font-weight:400}
.group ul{margin-top:.35rem;font-size:.9375rem}
.group li{display:grid;grid-template-columns:15rem 1fr 1fr;gap:.1rem 1.5rem;padding:.3rem 0;white-space:pre-line;overflow-wrap:anywhere}
.group li.brief{grid-template-columns:15rem 1fr}
.group .scroll{max-height:22rem}
.intro{margin-top:1.25rem}
.prose p+p{margin-top:.25rem}
.verb{font-weight:600}
.verb.delete{color:var(--closed)}
.verb.update{color:var(--timeout)}
.verb.create{color:var(--synced)}
svg{display:block;margin:0 auto;height:auto;max-width:100%;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.edge{fill:none;stroke-width:2;stroke:var(--unknown)}
.edge.synced{stroke:var(--line);stroke-width:1.5}
.edge.syncing{stroke:var(--syncing);stroke-dasharray:10 4}
.edge.timeout{stroke:var(--timeout);stroke-dasharray:5 4}
.edge.closed{stroke:var(--closed);stroke-dasharray:12 3 2 3}
.edge.missing{stroke:var(--missing);stroke-dasharray:2 4}
.edge.bold{stroke-width:4}
.edge.unknown{stroke-dasharray:1 6;stroke-linecap:round;stroke-width:2.5}
marker.synced{fill:var(--line)}
marker.syncing{fill:var(--syncing)}
marker.timeout{fill:var(--timeout)}
marker.closed{fill:var(--closed)}
marker.missing{fill:var(--missing)}
marker.unknown{fill:var(--unknown)}
.network polygon{fill:var(--network);stroke:var(--network);stroke-width:28;stroke-linejoin:round}
.network path{fill:none;stroke:var(--muted);stroke-width:1.5}
svg text{fill:var(--ink)}
.network text{fill:var(--muted);font-size:12px}
.few text{text-anchor:middle}
.node rect{fill:var(--surface);stroke:var(--muted)}
.node text{fill:var(--muted)}
.node .name{fill:var(--ink);font-size:14px;font-weight:600}
.node.away rect{stroke:var(--closed);stroke-width:2;stroke-dasharray:5 4}
.node.away text:not(.name){fill:var(--closed);font-weight:600}
text.state{font-weight:600;paint-order:stroke;stroke:var(--network);stroke-width:5px;stroke-linejoin:round}
text.syncing{fill:var(--syncing)}
text.timeout{fill:var(--timeout)}
text.closed{fill:var(--closed)}
text.missing{fill:var(--missing)}
text.unknown{fill:var(--unknown)}
.disc{fill:none;stroke:var(--rule)}
.spot circle{fill:var(--synced)}
.spot text{font-size:11.5px;fill:var(--muted)}
.spot.troubled circle{fill:var(--timeout)}
.spot.troubled text{fill:var(--ink)}
.spot.away circle{fill:var(--surface);stroke:var(--closed);stroke-width:2.5}
.spot.away text{fill:var(--closed);font-weight:600}
.calm{text-anchor:middle;font-size:20px;font-weight:600}
svg .calm.small{font-size:13px;font-weight:400;fill:var(--muted)}
.legend{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(27rem,100%),1fr));gap:.35rem 1.5rem;margin:1rem 0 1.25rem;font-size:.8125rem;color:var(--muted)}
.legend li{display:flex;gap:.5rem;align-items:center}
.legend svg,.legend .chip{flex:none;margin:0}
.legend strong{flex:none;min-width:6.5rem;color:var(--ink)}
.legend .zero strong{font-weight:400;color:var(--muted)}
.chip,.matrix td{text-align:center}
.chip{width:1.5rem;border-radius:3px;line-height:1.4rem;font-weight:700}
.chip::before,.dense td::before{content:"?";content:"?" / ""}
.chip.synced::before,.dense .synced::before{content:"✓";content:"✓" / ""}
.chip.syncing::before,.dense .syncing::before{content:"…";content:"…" / ""}
.chip.timeout::before,.dense .timeout::before{content:"!";content:"!" / ""}
.chip.closed::before,.dense .closed::before{content:"×";content:"×" / ""}
.chip.missing::before,.dense .missing::before{content:"–";content:"–" / ""}
.dense .none::before,.dense .self::before{content:none}
.chip.synced,td.synced{background:var(--synced-soft);color:var(--synced)}
.chip.syncing,.roomy .syncing{background:var(--syncing-soft);color:var(--syncing)}
.chip.timeout,.roomy .timeout{background:var(--timeout-soft);color:var(--timeout)}
.chip.closed,.roomy .closed{background:var(--closed-soft);color:var(--closed)}
.chip.missing,.roomy .missing{background:var(--missing-soft);color:var(--missing)}
.chip.unknown,.roomy .unknown{background:var(--unknown-soft);color:var(--unknown)}
.dense .syncing{background:var(--syncing);color:var(--surface)}
.dense .timeout{background:var(--timeout);color:var(--surface)}
.dense .closed{background:var(--closed);color:var(--surface)}
.dense .missing{background:var(--missing);color:var(--surface)}
.dense .unknown{background:var(--unknown);color:var(--surface)}
.matrix{width:auto}
.matrix th,.matrix td{padding:.3rem .75rem;border:0;border-right:2px solid var(--surface);border-bottom:2px solid var(--surface)}
.matrix td b{font-weight:600}
.matrix tbody th{max-width:15rem;overflow:hidden;text-overflow:ellipsis}
.roomy thead span{display:block;max-width:9rem;overflow:hidden;text-overflow:ellipsis}
.matrix tbody th{position:sticky;left:0;z-index:1;background:var(--surface);padding-left:0}
.matrix thead th:first-child{left:0;z-index:3;padding-left:0}
.matrix .self{background:repeating-linear-gradient(135deg,var(--raised) 0 3px,transparent 3px 7px)}
.matrix .self b,.dense td b{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}
.matrix .none{color:var(--muted)}
.matrix .none b{font-weight:400}
.matrix .next>*{border-top:6px solid var(--surface)}
.dense th,.dense td{padding:0;border-width:1px}
.dense td{position:relative;min-width:1.5rem;height:1.5rem;font-weight:700;line-height:1;vertical-align:middle}
.dense .synced{font-weight:400;font-size:.75rem}
.tiny td{min-width:1.05rem;height:1.2rem;font-size:.75rem}
.tiny .synced{font-size:.6875rem}
.dense tbody th{padding-right:.75rem;font-size:.8125rem;font-weight:400}
.dense thead th{height:1px;text-align:left}
.dense thead th+th{padding:.25rem 0}
.dense thead span{display:block;margin:0 auto;writing-mode:vertical-rl;transform:rotate(180deg);max-height:11rem;overflow:hidden;text-overflow:ellipsis;line-height:1.2}
.dense tbody tr:hover>*{box-shadow:inset 0 1px var(--ink),inset 0 -1px var(--ink)}
footer{display:flex;flex-wrap:wrap;gap:.5rem 2rem;justify-content:space-between;padding-top:.5rem;padding-bottom:2.5rem;color:var(--muted)}
@media (min-width:44rem){.scroll{max-height:min(44rem,80vh)}figure .scroll{max-height:none}caption span{max-width:none;white-space:nowrap}}
#matrix .scroll{max-height:80vh}
@media (max-width:43.99rem){
html{scroll-padding-top:1rem}
.bar{position:static}
.bar>div{padding-top:.25rem;padding-bottom:.5rem}
.head{padding-top:1.25rem}
main,footer,.bar>div{padding-left:.875rem;padding-right:.875rem}
section{padding:1rem .875rem}
.tiles{grid-template-columns:1fr 1fr}
.tile:last-child:nth-child(odd){grid-column:1/-1}
.tile{padding:.65rem .875rem}
figure svg{max-width:none}
.legend{grid-template-columns:1fr}
.legend strong{min-width:5.5rem}
.group li,.group li.brief{grid-template-columns:1fr;padding:.5rem 0}
.members tbody th{min-width:9rem;white-space:normal;overflow-wrap:anywhere}
}
@media (forced-colors:active){.badge,.chip,.matrix td,.tile{border:1px solid}}
`;

export const STYLE_ELEMENT: Html = html`<style>${STYLE}</style>`;

const digest = createHash("sha256").update(source(STYLE)).digest("base64");

/** Allows only this document: its style by hash, its pictures, forms to its origin; no script or frame. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${digest}'`,
  "img-src data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");
