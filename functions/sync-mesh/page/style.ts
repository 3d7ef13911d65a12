import { type Html, html } from "./html.ts";

/** Contrast to the background: text at least 4.5 : 1, lines that carry a meaning 3 : 1. */
export const STYLE: Html = html`
:root{color-scheme:light dark;
--page:#f5f6f8;--surface:#fff;--raised:#eef0f4;--ink:#191e27;--muted:#566072;--rule:#dcdfe6;--link:#2449c4;--strong:#2449c4;--on-strong:#fff;
--synced:#167052;--syncing:#1d5bbd;--warning:#8f5200;--error:#b3261e;--unknown:#566072;
--synced-soft:#e2f2ea;--syncing-soft:#e1ecfb;--warning-soft:#fbecd2;--error-soft:#fbe4e1;--unknown-soft:#e6e9ee;
--network:#e9ecf3;--line:#3f9178}
@media (prefers-color-scheme:dark){:root{
--page:#10141b;--surface:#181d26;--raised:#212733;--ink:#e5e8ee;--muted:#a0aabb;--rule:#2c3442;--link:#9db8ff;--strong:#9db8ff;--on-strong:#10141b;
--synced:#62cb9d;--syncing:#84b5f8;--warning:#e9ad57;--error:#f58f86;--unknown:#a9b2c1;
--synced-soft:#173529;--syncing-soft:#1a2f4c;--warning-soft:#40300f;--error-soft:#481f1d;--unknown-soft:#2a313d;
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
.warn{color:var(--warning);font-weight:600}
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
.tile.warning dd:not(.note){color:var(--warning)}
.tile.error dd:not(.note){color:var(--error)}
.tile.warning a,.tile.error a{color:inherit}
.alert{border-left-width:5px}
.alert.error{border-left-color:var(--error)}
.alert.warning{border-left-color:var(--warning)}
.alert h2{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin-bottom:.4rem}
.alert p+p,.alert ul,.alert form{margin-top:.5rem}
.alert p,.alert li{overflow-wrap:anywhere}
.cure strong{font-weight:600;margin-right:.35rem}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:5px;font-size:.8125rem;font-weight:600;line-height:1.5;background:var(--unknown-soft);color:var(--unknown)}
.badge.error,.badge.closed,.badge.timeout,.badge.missing,.badge.failed{background:var(--error-soft);color:var(--error)}
.badge.warning,.badge.waiting{background:var(--warning-soft);color:var(--warning)}
.badge.good,.badge.synced{background:var(--synced-soft);color:var(--synced)}
.badge.info,.badge.syncing,.badge.pending,.badge.created,.badge.updated{background:var(--syncing-soft);color:var(--syncing)}
.verdict .badge{font-size:.9375rem;padding:.15rem .65rem}
form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
button{font:inherit;color:inherit;min-height:2.5rem;padding:.35rem .9rem;border:1px solid var(--muted);border-radius:7px;background:var(--surface);max-width:100%}
button{font-weight:600;cursor:pointer}
.members tbody th{min-width:8.5rem;max-width:14rem;white-space:normal;overflow-wrap:anywhere}
.small{min-height:1.75rem;padding:.05rem .6rem;font-size:.8125rem}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;align-items:flex-start}
.actions:empty{display:none}
*+.actions,.actions+.hint,.hint+.hint{margin-top:.75rem}
summary{cursor:pointer;font-weight:600}
summary:hover{text-decoration:underline}
details>summary+*{margin-top:.6rem}
section>.keep{margin-top:.75rem;padding-top:.75rem;border-top:1px solid var(--rule)}
.group .keep{margin-top:.4rem;font-size:.9375rem}
.group .keep summary{font-weight:400;color:var(--muted)}
.group .keep p+p{margin-top:.35rem}
.ask[open]{padding:.75rem 1rem;border:1px solid var(--rule);border-radius:7px;max-width:40rem}
.ask>summary{display:inline-flex;align-items:center;min-height:2.5rem;padding:.35rem .9rem;border:1px solid var(--muted);border-radius:7px}
.ask form{margin-top:.75rem}
.command{padding:.1rem .35rem;border-radius:4px;background:var(--raised);user-select:all;-webkit-user-select:all}
.copy{min-height:1.5rem;margin-left:.35rem;padding:0 .5rem;font-size:.75rem;font-weight:400;border-color:var(--rule)}
.local{color:var(--muted)}
.unseen{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.gaps li,.blocks li,.itself li{padding:.2rem 0;overflow-wrap:anywhere}
.gaps{margin:.25rem 0 .75rem}
.itself li{display:grid;grid-template-columns:7.5rem minmax(0,1fr);gap:.5rem}
.head+section{margin-top:0}
.lately li{display:grid;grid-template-columns:7rem 1fr auto;gap:.1rem 1rem;padding:.3rem 0;overflow-wrap:anywhere}
.others{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem}
.bad{color:var(--error);font-weight:600}
.steps{margin:1rem 0;padding:0;list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.75rem}
.steps li{padding:.75rem 1rem;border:1px solid var(--rule);border-top-width:4px;border-radius:7px;overflow-wrap:anywhere}
.steps .now{border-color:var(--link)}
.steps .done{border-top-color:var(--synced)}
.steps p{margin-top:.35rem}
.blocks{margin:.35rem 0 0 1.1rem;list-style:disc}
button:hover{background:var(--raised)}
.strong{background:var(--strong);border-color:var(--strong);color:var(--on-strong)}
.danger{background:var(--error);border-color:var(--error);color:var(--surface)}
.strong:hover{background:var(--strong);filter:brightness(1.1)}
.danger:hover{background:var(--error);filter:brightness(1.1)}
.tick{display:flex;gap:.5rem;align-items:center}
.tick input{width:1.15rem;height:1.15rem;accent-color:var(--error)}
.empty{color:var(--muted)}
.facts{display:flex;flex-wrap:wrap;gap:.35rem 2rem}
*+.facts{margin-top:.5rem}
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
.object{max-width:24rem;white-space:normal;overflow-wrap:anywhere}
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
.verb.delete{color:var(--error)}
.verb.update{color:var(--warning)}
.verb.create{color:var(--synced)}
svg{display:block;margin:0 auto;height:auto;max-width:100%;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.edge{fill:none;stroke-width:2;stroke:var(--unknown)}
.edge.synced{stroke:var(--line);stroke-width:1.5}
.edge.syncing,.edge.pending{stroke:var(--syncing);stroke-dasharray:10 4}
.edge.timeout,.edge.closed,.edge.missing,.edge.failing{stroke:var(--error);stroke-dasharray:5 4}
.edge.drained{stroke:var(--unknown);stroke-dasharray:2 6}
.edge.bold{stroke-width:4}
circle.edge.gate{fill:var(--surface);stroke-dasharray:none;stroke-width:2}
.edge.unknown{stroke-dasharray:1 6;stroke-linecap:round;stroke-width:2.5}
marker.synced{fill:var(--line)}
marker.syncing,marker.pending{fill:var(--syncing)}
marker.timeout,marker.closed,marker.missing,marker.failing{fill:var(--error)}
marker.unknown,marker.drained{fill:var(--unknown)}
.network polygon{fill:var(--network);stroke:var(--network);stroke-width:28;stroke-linejoin:round}
.network path{fill:none;stroke:var(--muted);stroke-width:1.5}
svg text{fill:var(--ink)}
.network text{fill:var(--muted);font-size:12px}
.few text{text-anchor:middle}
.node rect{fill:var(--surface);stroke:var(--muted)}
.node text{fill:var(--muted)}
.node .name{fill:var(--ink);font-size:14px;font-weight:600}
.node.away rect{stroke:var(--warning);stroke-width:2;stroke-dasharray:5 4}
.node.away text:not(.name){fill:var(--warning);font-weight:600}
text.state{font-weight:600;paint-order:stroke;stroke:var(--network);stroke-width:5px;stroke-linejoin:round}
text.syncing,text.pending{fill:var(--syncing)}
text.timeout,text.closed,text.missing,text.failing{fill:var(--error)}
text.unknown,text.drained{fill:var(--unknown)}
.disc{fill:none;stroke:var(--rule)}
.spot circle{fill:var(--synced)}
.spot text{font-size:11.5px;fill:var(--muted)}
.spot.troubled circle{fill:var(--error)}
.spot.troubled text{fill:var(--ink)}
.spot.away circle{fill:var(--surface);stroke:var(--warning);stroke-width:2.5}
.spot.away text{fill:var(--warning);font-weight:600}
.calm{text-anchor:middle;font-size:20px;font-weight:600}
svg .calm.small{font-size:13px;font-weight:400;fill:var(--muted)}
.legend{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(27rem,100%),1fr));gap:.35rem 1.5rem;margin:1rem 0 1.25rem;font-size:.8125rem;color:var(--muted)}
.legend li{display:flex;gap:.5rem;align-items:center}
.legend svg,.legend .chip{flex:none;margin:0}
.legend strong{flex:none;min-width:6.5rem;color:var(--ink)}
.chip,.matrix td{text-align:center}
.chip{width:1.5rem;border-radius:3px;line-height:1.4rem;font-weight:700}
.chip::before,.dense td::before{content:"?";content:"?" / ""}
.chip.synced::before,.dense .synced::before{content:"✓";content:"✓" / ""}
.chip.syncing::before,.dense .syncing::before{content:"…";content:"…" / ""}
.chip.pending::before,.dense .pending::before{content:"·";content:"·" / ""}
.chip.timeout::before,.dense .timeout::before{content:"!";content:"!" / ""}
.chip.closed::before,.dense .closed::before{content:"×";content:"×" / ""}
.chip.failing::before,.dense .failing::before{content:"✗";content:"✗" / ""}
.chip.missing::before,.dense .missing::before{content:"–";content:"–" / ""}
.chip.drained::before,.dense .drained::before{content:"⏸";content:"⏸" / ""}
.dense .none::before,.dense .self::before{content:none}
.chip.synced,td.synced{background:var(--synced-soft);color:var(--synced)}
.chip.syncing,.chip.pending,.roomy .syncing,.roomy .pending{background:var(--syncing-soft);color:var(--syncing)}
.chip.timeout,.chip.closed,.chip.missing,.chip.failing,.roomy .timeout,.roomy .closed,.roomy .missing,.roomy .failing{background:var(--error-soft);color:var(--error)}
.chip.unknown,.roomy .unknown,.chip.drained,.roomy .drained{background:var(--unknown-soft);color:var(--unknown)}
.dense .syncing,.dense .pending{background:var(--syncing);color:var(--surface)}
.dense .timeout,.dense .closed,.dense .missing,.dense .failing{background:var(--error);color:var(--surface)}
.dense .unknown,.dense .drained{background:var(--unknown);color:var(--surface)}
.matrix{width:auto}
.matrix th,.matrix td{padding:.3rem .75rem;border:0;border-right:2px solid var(--surface);border-bottom:2px solid var(--surface)}
.matrix td b{font-weight:600}
.matrix tbody th{max-width:15rem;overflow:hidden;text-overflow:ellipsis}
.roomy thead span{display:block;max-width:9rem;overflow:hidden;text-overflow:ellipsis}
.matrix tbody th{position:sticky;left:0;z-index:1;background:var(--surface);padding-left:0}
.matrix thead th:first-child{left:0;z-index:3;padding-left:0}
.matrix .self{background:repeating-linear-gradient(135deg,var(--raised) 0 3px,transparent 3px 7px)}
.matrix .self b,.dense td b{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}
.matrix small{color:inherit;font-size:.75rem}
.dense small{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.dense .through::before{text-decoration:underline;text-underline-offset:.2em}
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
@media (min-width:44rem){.scroll{max-height:min(44rem,80vh)}.scroll:has(.members){max-height:none}caption span{max-width:none;white-space:nowrap}}
#matrix .scroll{max-height:80vh}
@media (min-width:31.26rem){.narrow{display:none}}
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
.legend{grid-template-columns:1fr}
.legend strong{min-width:5.5rem}
.group li,.group li.brief{grid-template-columns:1fr;padding:.5rem 0}
.members tbody th{min-width:9rem;white-space:normal;overflow-wrap:anywhere}
}
@media (max-width:31.25rem){
.cards thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.cards,.cards caption,.cards tbody,.cards tr,.cards th,.cards td{display:block}
.cards tr{padding:.6rem 0;border-bottom:1px solid var(--rule)}
.cards tr:last-child{border-bottom:0}
.cards tbody th,.cards td{max-width:none;border:0;padding:.15rem 0;white-space:normal;overflow-wrap:anywhere}
.cards td{display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:.5rem}
.cards td::before{content:attr(data-label);color:var(--muted);font-size:.8125rem}
.cards td:empty{display:none}
.cards .object{max-width:24rem;white-space:normal;overflow-wrap:anywhere}
.prose{min-width:0}
.roomy th,.roomy td{padding:.25rem .35rem;font-size:.75rem}
.few .name{font-size:17px}
.few text:not(.name){font-size:15px}
.many .spot text,.many .network text{display:none}
.lately li{grid-template-columns:1fr}
.verdict strong{flex-basis:100%}
}
@media (forced-colors:active){.badge,.chip,.matrix td,.tile{border:1px solid}}
`;

export const STYLE_ELEMENT: Html = html`<style>${STYLE}</style>`;
